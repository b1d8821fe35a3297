"""What counts as a whole command."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from slu.benchmarks.commands import score_commands
from slu.spec import Head

HEADS = (Head("drink", ("latte", "mocha")), Head("size", ("", "small", "large")))


def score(labels: list[tuple[str, str]], answers: list[tuple[str, str]], understood: list[bool]) -> pd.DataFrame:
    evaluation: Any = SimpleNamespace(
        heads=HEADS,
        table=pd.DataFrame(labels, columns=["drink", "size"]).assign(
            file_name=[f"{i}.wav" for i in range(len(labels))]
        ),
        guess={head.name: np.array([head.index(answer[i]) for answer in answers]) for i, head in enumerate(HEADS)},
        understood=np.array(understood),
        speakers=None,
    )
    return score_commands(evaluation)


def test_lenient_overlooks_what_was_added_and_strict_does_not() -> None:
    labels = [("latte", "small"), ("latte", ""), ("latte", ""), ("mocha", "large"), ("tea", ""), ("", "")]
    heard = [("latte", "small"), ("latte", ""), ("latte", "large"), ("mocha", ""), ("latte", ""), ("latte", "")]
    table = score(labels, heard, [True, False, True, True, True, True])
    assert table["lenient"].tolist() == [1, 1, 1, 0, 0], (
        "an unknown drink is wrong, a clip without labels is not counted"
    )
    assert table["strict"].tolist() == [1, 1, 0, 0, 0]
    assert table["lenient_accepted"].tolist() == [1, 0, 1, 0, 0], "there an engine that refuses has failed"
    assert table["strict_accepted"].tolist() == [1, 0, 0, 0, 0]
    assert table["understood"].tolist() == [1, 0, 1, 1, 1]
    assert table["clip"].tolist() == [f"{i}.wav" for i in range(5)]
