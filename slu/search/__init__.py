"""`slu.train search=NAME`: trials by Optuna that go on where they were cut short, and then the training of the winner.

Hydra's Optuna sweeper gives the settings, the samplers and the launchers. Its loop asks for so many trials more than
there are, from the same seed, and cannot prune; so the loop is ours (`StudySweeper`).
"""

from slu.search.jobs import as_job as as_job
from slu.search.jobs import keep_submitit as keep_submitit
from slu.search.search import SINGLE as SINGLE
from slu.search.search import search as search
from slu.search.settings import SEVERAL_PROCESSES as SEVERAL_PROCESSES
from slu.search.settings import refuse_several_processes as refuse_several_processes
