import json

import numpy as np
import pytest

from slu.monitoring.facts import BINS, FACTS, NAMES, bins_of
from slu.monitoring.sketch import Sketch, quantile
from tests.monitoring.helpers import lines, sketch_of

LEVEL = NAMES.index("level_db")


def row(**known: object) -> list[object]:
    return [known.get(name) for name in NAMES]


@pytest.mark.parametrize("fact", FACTS, ids=NAMES)
def test_every_value_is_counted_in_the_bin_that_holds_it(fact) -> None:
    values = (fact.edges[:-1] + fact.edges[1:]) / 2
    assert (bins_of(values, fact) == np.arange(BINS)).all()
    outside = np.array([fact.low - 1, fact.high * 2 + 1])
    assert bins_of(outside, fact).tolist() == [0, BINS - 1]


def test_quantiles_are_right_to_the_width_of_a_bin() -> None:
    values = np.random.default_rng(0).normal(-30, 8, 2000)
    sketch = Sketch()
    sketch.add([row(level_db=value) for value in values])
    for share in (0.05, 0.5, 0.95):
        found = quantile(sketch.of("level_db"), FACTS[LEVEL], share)
        assert found == pytest.approx(np.quantile(values, share), abs=0.5)
    assert quantile(sketch.of("pitch_hz"), FACTS[LEVEL], 0.5) is None


def test_parts_of_a_log_add_up_to_the_whole_and_survive_a_file() -> None:
    whole = lines(60)
    total, both = sketch_of(whole), sketch_of(whole[:20])
    both.merge(sketch_of(whole[20:]))
    read = Sketch.from_json(json.loads(json.dumps(both.to_json())))
    for other in (both, read):
        assert (other.counts == total.counts).all()
        assert (other.clips, other.reasons, other.labels) == (total.clips, total.reasons, total.labels)


@pytest.mark.parametrize("value", [None, "loud", [1], {}, float("nan"), float("inf"), 10**400])
def test_what_is_no_number_is_passed_over(value: object) -> None:
    sketch = Sketch()
    sketch.add([row(level_db=value), row(level_db=-20.0)])
    assert sketch.known("level_db") == 1


def test_names_without_end_do_not_fill_the_memory() -> None:
    sketch = Sketch()
    for number in range(3000):
        sketch.count_answer(f"reason {number}", {})
        sketch.count_answer("", {f"head {number}": "x", "product": f"label {number}"})
    assert max(len(sketch.reasons), len(sketch.labels), len(sketch.labels["product"])) <= 1001
    assert sketch.clips == sum(sketch.reasons.values()) == 6000


def test_labels_of_answers_that_were_not_given_do_not_count() -> None:
    sketch = Sketch()
    sketch.count_answer("silence", {"product": "tea"})
    assert sketch.labels == {}
