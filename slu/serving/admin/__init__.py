"""The owner's page at /admin: versions, corrections, what has changed at work, retraining, and the machine.

It exists where a password was set. What it shows is read from the outputs; what takes long, or needs torch, is a
command in a process of its own, so that answers are made as fast as before.
"""

ADMIN = "/admin"
