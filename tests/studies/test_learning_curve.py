"""The settings of a learning curve, and which fits they mean."""

from dataclasses import replace
from typing import Any

import pytest

from slu.common.errors import UserError
from slu.studies.learning_curve import learning_curve_settings, plan
from slu.training.stages import Prepared
from tests.studies.helpers import M1, M2
from tests.studies.test_fits import SETTINGS, data  # noqa: F401 (a fixture)

VALUES: dict[str, Any] = {
    "name": "tiny",
    "question": "Which?",
    "models": {"m1": M1, "m2": M2},
    "shares": [1.0, 0.5],
    "seeds": [0],
    "jobs": 1,
}


def test_shares_are_sorted() -> None:
    assert learning_curve_settings(VALUES) == SETTINGS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shares": [0.5, 1.5]}, r"learning_curve\.shares\.1: .*less than or equal to 1"),
        ({"shares": [0.0]}, r"learning_curve\.shares\.0: .*greater than 0"),
        ({"shares": []}, r"learning_curve\.shares: "),
        ({"shares": [0.5, 0.5]}, r"learning_curve\.shares: .*twice"),
        ({"seeds": []}, r"learning_curve\.seeds: "),
        ({"seeds": [1, 1]}, r"learning_curve\.seeds: .*twice"),
        ({"models": {}}, r"learning_curve\.models is empty"),
        ({"models": {"a/b": M1}}, r"learning_curve\.models\."),
        ({"jobs": 0}, r"learning_curve\.jobs: "),
        ({"name": "../up"}, r"learning_curve\.name: "),
        ({"share": [1.0]}, r"learning_curve\.share: there is no such setting"),
    ],
)
def test_bad_settings_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        learning_curve_settings(VALUES | change)


def test_the_plan_is_every_model_share_and_seed(data: Prepared) -> None:  # noqa: F811
    fits = plan(replace(SETTINGS, seeds=(0, 7)), data)
    assert [(f.model, f.share, f.seed, len(f.voices)) for f in fits] == [
        (model, share, seed, voices)
        for seed in (0, 7)
        for share, voices in ((0.5, 2), (1.0, 4))
        for model in ("m1", "m2")
    ]
    for one, two in zip(fits[::2], fits[1::2], strict=True):
        assert one.voices == two.voices, "both models hear the same voices"
    assert len({f.fingerprint for f in fits}) == len({f.file_name for f in fits}) == 8


def test_a_share_without_every_class_is_refused_before_anything_is_trained(data: Prepared) -> None:  # noqa: F811
    table = data.features.table
    only = table[~((table["pitch"] == "high") & (table["split"] == "train") & (table["speaker"] != "s0"))]
    few = replace(data, features=replace(data.features, table=only))
    with pytest.raises(
        UserError, match=r"learning_curve\.shares=0\.25 with seed \d \(1 voices\): 'high' of head 'pitch'"
    ):
        plan(replace(SETTINGS, shares=(0.25, 1.0), seeds=(0, 1)), few)
