"""What was right instead: corrections of answers from their arrival to the training that learns from them.

    new ──review──▶ accepted ──training──▶ used          erased: its customer asked for it
     └────review──▶ rejected

A correction arrives with what the model said and how sure it was. What looks bad about it (a conflict, a flood, no
speech) is noted as flags. Nothing trains before somebody has accepted it, unless the owner says otherwise, and what
was erased never does.
"""

from slu.feedback.audio import FOLDER as FOLDER
from slu.feedback.audio import AudioFile as AudioFile
from slu.feedback.entries import Answered as Answered
from slu.feedback.entries import Correction as Correction
from slu.feedback.entries import Row as Row
from slu.feedback.entries import unknown_label as unknown_label
from slu.feedback.schema import FEEDBACK as FEEDBACK
from slu.feedback.store import FeedbackStore as FeedbackStore
from slu.feedback.store import default_url as default_url
from slu.feedback.training import TrainingRow as TrainingRow
from slu.feedback.training import training_rows as training_rows
