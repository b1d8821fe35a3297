"""Whole commands, counted two ways, and by two attitudes to an answer that the recogniser is not sure of.

Lenient, as the public benchmark's engine.py counts: every slot of the label must be heard as labelled; what is heard
beyond it is no error. Strict: every slot must be as labelled, and one that was not mentioned must not be answered.
There an engine that refuses to answer has failed; `accepted` counts so, the plain figures take what was most probable.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slu.evaluation.evaluation import Evaluation
from slu.spec import NOT_MENTIONED

MEASURES = ("strict", "lenient", "strict_accepted", "lenient_accepted", "understood")


def score_commands(evaluation: Evaluation) -> pd.DataFrame:
    """One row per readable clip that has a label: the measures, 1 or 0; `clip`, `speaker`, `label` (of a single head).

    A label that the recogniser does not know can only be answered wrongly. An empty cell is "not mentioned" where the
    head has that class, and otherwise no label.
    """
    size = len(evaluation.table)
    strict, lenient, labelled = np.ones(size, bool), np.ones(size, bool), np.zeros(size, bool)
    for head in evaluation.heads:
        label = evaluation.table[head.name].astype(str).to_numpy()
        right: NDArray[np.bool_] = np.array(head.classes, dtype=object)[evaluation.guess[head.name]] == label
        said = label != NOT_MENTIONED
        lenient &= right | ~said
        strict &= right | ~(said | (NOT_MENTIONED in head.classes))
        labelled |= said
    understood = evaluation.understood
    measures = (strict, lenient, strict & understood, lenient & understood, understood)
    table = pd.DataFrame({name: values.astype(float) for name, values in zip(MEASURES, measures, strict=True)})
    table["clip"] = evaluation.table["file_name"].to_numpy()
    table["speaker"] = evaluation.speakers if evaluation.speakers is not None else ""
    table["label"] = evaluation.table[evaluation.heads[0].name].to_numpy() if len(evaluation.heads) == 1 else ""
    table["clips"] = 1
    return table[labelled]
