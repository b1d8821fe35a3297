"""Clips without a label: they teach nothing, or doubt, as the settings say."""

import functools
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.training.classifier import LossSettings, UtteranceClassifier
from slu.training.datamodule import NO_LABEL
from tests.bundles.helpers import MODEL, make_spec

LOGITS = {"product": torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), "quantity": torch.zeros(5, 2)}
MIXED = torch.tensor([0, 2, NO_LABEL, 1, NO_LABEL])
NOTHING = torch.full((5,), NO_LABEL)


def loss(product: torch.Tensor, **settings: Any) -> torch.Tensor:
    classifier = UtteranceClassifier(
        MODEL, make_spec(), 16, LossSettings(label_smoothing=0.0, **settings), functools.partial(torch.optim.SGD), None
    )  # type: ignore[arg-type]
    return classifier._loss(LOGITS, {"product": product, "quantity": NOTHING})


def test_ignored_clips_teach_nothing() -> None:
    known = MIXED != NO_LABEL
    torch.testing.assert_close(loss(MIXED), F.cross_entropy(LOGITS["product"][known], MIXED[known]))
    assert loss(NOTHING) == 0


def test_uniform_is_the_cross_entropy_against_equal_probabilities_of_every_clip() -> None:
    targets = torch.full((5, 3), 1 / 3)
    for row, label in enumerate(MIXED.tolist()):
        if label != NO_LABEL:
            targets[row] = F.one_hot(torch.tensor(label), 3)
    constant = torch.log(torch.tensor(2.0))  # the other head: equal scores, and no clip has a label
    expected = F.cross_entropy(LOGITS["product"], targets) + constant
    torch.testing.assert_close(loss(MIXED, unlabelled="uniform"), expected)
    all_known = torch.tensor([0, 2, 1, 1, 0])
    torch.testing.assert_close(loss(all_known, unlabelled="uniform"), loss(all_known) + constant)
    assert loss(NOTHING, unlabelled="uniform") > 0


def test_another_word_is_refused() -> None:
    with pytest.raises(UserError, match=r"loss\.unlabelled"):
        parse_settings(LossSettings, {"unlabelled": "flat"}, "loss")
