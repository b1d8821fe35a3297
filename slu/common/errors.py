"""The one exception whose message is meant for the user.

A `UserError` is a single sentence that names the file, line or setting and the cure. Commands
print it to stderr and exit with 2 (`slu.common.cli`); anything else that escapes is a bug of ours.
"""


class UserError(Exception):
    """Bad input, bad settings or a missing file: tell the user in one sentence, without a stack trace."""
