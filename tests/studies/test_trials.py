"""One study and many workers: as many trials as were asked for, none twice, none lost with its process."""

import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler, TPESampler
from optuna.trial import TrialState

from slu.common.errors import UserError
from slu.studies.search_space import SearchSpace
from slu.studies.study_storage import load_study, open_study, require_space
from slu.studies.trials import ASIDE, BEAT, OWNER, SETTLED, SeededByTrial, TrialQueue, counted
from slu.studies.winner import chosen
from tests.conftest import ROOT
from tests.postgres import postgres_home as postgres_home

MAXIMIZE = ["maximize"]
X = SearchSpace({"x": FloatDistribution(0.0, 1.0)})

WORKER = """
import sys, time, optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from slu.studies.search_space import SearchSpace
from slu.studies.study_storage import open_study
from slu.studies.trials import SeededByTrial, TrialQueue
from optuna.samplers import TPESampler
optuna.logging.set_verbosity(optuna.logging.ERROR)
url, total, kind, pause = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
space = {"x": FloatDistribution(0.0, 1.0)} if kind == "x" else {k: CategoricalDistribution([1, 2, 3]) for k in "ab"}
study = open_study(url, "s", ["maximize"], SeededByTrial(lambda seed: TPESampler(seed=seed, constant_liar=True), 0))
queue = TrialQueue(study, total, SearchSpace(space))
print("ready", flush=True)
sys.stdin.readline()
while (trial := queue.take()) is not None:
    print(trial.number, flush=True)
    time.sleep(pause)
    queue.tell(trial, [sum(trial.params.values())])
"""


def worker(url: str, total: int, kind: str = "x", pause: float = 0.02) -> "subprocess.Popen[str]":
    started = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORKER, url, str(total), kind, str(pause)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    return started


def go(*workers: "subprocess.Popen[str]") -> None:
    for each in workers:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()


@pytest.fixture(params=["sqlite", "journal", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        home, name = request.getfixturevalue("postgres_home"), f"of_{abs(hash(request.node.name))}"
        with psycopg.connect(host=str(home), user="slu", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://slu@/{name}?host={home}"
    return f"{request.param}:///{tmp_path / 'study'}"


def test_two_processes_share_a_study_to_its_exact_total_without_duplicates(url: str) -> None:
    two = [worker(url, 17), worker(url, 17)]
    go(*two)
    said = [set(each.communicate(timeout=60)[0].split()) for each in two]
    assert all(each.returncode == 0 for each in two)
    tried = counted(load_study(url, "s"))
    assert [t.state for t in tried] == [TrialState.COMPLETE] * 17
    assert len({t.params["x"] for t in tried}) == 17, "and from one seed no two draw the same"
    assert all(said), "both have worked"
    assert said[0] | said[1] == {str(t.number) for t in tried}
    assert not said[0] & said[1]


def test_a_worker_killed_beside_another_loses_nothing(url: str) -> None:
    doomed, other = worker(url, 6, pause=30), worker(url, 6, pause=0.2)
    go(doomed)
    assert doomed.stdout is not None
    number = int(doomed.stdout.readline())
    go(other)
    doomed.kill()
    doomed.wait()
    other.communicate(timeout=60)
    study = load_study(url, "s")
    lost = study.get_trials()[number]
    assert lost.state is TrialState.FAIL
    tried = counted(study)
    assert [t.state for t in tried] == [TrialState.COMPLETE] * 6
    assert sum(t.params == lost.params for t in tried) == 1, "the cut one was tried again, once"


def test_a_small_space_is_tried_whole_and_nothing_of_it_twice(tmp_path: Path) -> None:
    url = f"journal:///{tmp_path / 'study'}"
    two = [worker(url, 30, "ab"), worker(url, 30, "ab")]
    go(*two)
    for each in two:
        each.communicate(timeout=120)
        assert each.returncode == 0
    tried = counted(load_study(url, "s"))
    assert sorted((t.params["a"], t.params["b"]) for t in tried) == [(a, b) for a in (1, 2, 3) for b in (1, 2, 3)]


def test_neither_a_wish_nor_a_trial_without_settings_counts_as_tried(tmp_path: Path) -> None:
    study = open_study(f"sqlite:///{tmp_path / 's'}", "s", MAXIMIZE)
    queue = TrialQueue(study, 9, SearchSpace({"x": CategoricalDistribution([1, 2])}))
    first = queue.take()
    assert first is not None
    study.ask().set_user_attr(SETTLED, True)  # of a worker that has not drawn yet
    second = queue.take()
    assert second is not None
    assert first.params != second.params
    study.enqueue_trial(second.params)
    assert len(counted(study)) == 3, "what is wished for waits"
    assert queue.take() is None


def test_a_trial_of_a_live_process_is_left_and_one_of_a_dead_process_comes_again(tmp_path: Path) -> None:
    queue = TrialQueue(open_study(f"sqlite:///{tmp_path / 'a' / 's'}", "s", MAXIMIZE), 9, X)
    mine, orphan, elsewhere, silent = (queue.take() for _ in range(4))
    assert None not in (mine, orphan, elsewhere, silent)
    orphan.set_user_attr(OWNER, mine.user_attrs[OWNER].rpartition(":")[0] + ":1")
    elsewhere.set_user_attr(OWNER, "another-host:1:1")
    silent.set_user_attr(OWNER, "another-host:1:2")
    silent.set_user_attr(BEAT, time.time() - 3600)
    assert queue.put_back() == 2
    assert queue.put_back() == 0
    again = [queue.take(), queue.take()]
    assert [t.params for t in again if t] == [orphan.params, silent.params]
    states = [t.state for t in queue.study.get_trials()[:4]]
    assert states == [TrialState.RUNNING, TrialState.FAIL, TrialState.RUNNING, TrialState.FAIL]


def test_a_worker_that_comes_back_from_silence_does_no_harm(tmp_path: Path) -> None:
    queue = TrialQueue(open_study(f"sqlite:///{tmp_path / 's'}", "s", MAXIMIZE), 2, X)
    slow = queue.take()
    assert slow is not None
    slow.set_user_attr(OWNER, "another-host:1:2")
    slow.set_user_attr(BEAT, 0.0)
    again = queue.take()
    assert again is not None
    assert again.params == slow.params
    queue.tell(slow, [0.1])
    queue.tell(again, [0.2])
    assert [t.value for t in counted(queue.study)] == [0.2]


def test_failed_trials_count_with_their_reason_and_pruned_ones_without_a_value(tmp_path: Path) -> None:
    queue = TrialQueue(open_study(f"sqlite:///{tmp_path / 's'}", "s", MAXIMIZE), 3, X)
    failed, pruned, good = queue.take(), queue.take(), queue.take()
    assert None not in (failed, pruned, good)
    assert queue.take() is None
    queue.tell(failed, None, error="out of memory")
    pruned.report(0.9, 1)
    queue.tell(pruned, [0.9], pruned=True)
    assert chosen(queue.study) is None
    queue.tell(good, [0.3])
    states = [(t.state.name, t.user_attrs.get("error")) for t in queue.study.get_trials()]
    assert states == [("FAIL", "out of memory"), ("PRUNED", None), ("COMPLETE", None)]
    winner = chosen(queue.study)
    assert winner is not None
    assert (winner.number, winner.values, winner.tried) == (2, (0.3,), 2)


def test_parameters_are_drawn_only_where_their_condition_holds(tmp_path: Path) -> None:
    space = SearchSpace(
        {"model": CategoricalDistribution(["m1", "m2"])}, {("model", "m1"): {"model.layers": IntDistribution(1, 3)}}
    )
    assert space.size() == 4
    assert sorted(space.every()) == ["model", "model.layers"]
    sampler = SeededByTrial(lambda seed: RandomSampler(seed=seed), 0)
    study = open_study(f"journal:///{tmp_path / 's'}", "s", MAXIMIZE, sampler)
    queue = TrialQueue(study, 99, space)
    while (trial := queue.take()) is not None:
        queue.tell(trial, [1.0])
    tried = counted(study)
    assert sorted(str(sorted(t.params.items())) for t in tried) == [
        "[('model', 'm1'), ('model.layers', 1)]",
        "[('model', 'm1'), ('model.layers', 2)]",
        "[('model', 'm1'), ('model.layers', 3)]",
        "[('model', 'm2')]",
    ]
    with pytest.raises(UserError, match=r"conditional\.model=m3: model is not searched, or never has that value"):
        SearchSpace(space.always, {("model", "m3"): {}})


def test_another_space_under_the_same_name_is_refused(tmp_path: Path) -> None:
    study = open_study(f"sqlite:///{tmp_path / 's'}", "s", MAXIMIZE)
    space = {"x": CategoricalDistribution([1, 2]), "y": FloatDistribution(0, 1)}
    TrialQueue(study, 1, SearchSpace(space)).take()
    require_space(study, space, list(space))
    others = (
        ({**space, "x": CategoricalDistribution([1, 2, 3])}, "x"),
        ({**space, "y": FloatDistribution(0, 2)}, "y"),
        ({"x": space["x"]}, "y"),
        ({**space, "z": FloatDistribution(0, 1)}, "z"),
    )
    for other, named in others:
        with pytest.raises(UserError, match=rf"{named} was searched otherwise in the study s"):
            require_space(study, other, list(other))


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_a_storage_that_cannot_be_used_is_named(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "study"
    url = f"{kind}:///{file}"
    with pytest.raises(UserError, match="there is no study in"):
        load_study(url, "s")
    open_study(url, "s", MAXIMIZE)
    with pytest.raises(UserError, match="has other objectives"):
        open_study(url, "s", ["minimize", "maximize"])
    with pytest.raises(UserError, match="there is no study t in"):
        load_study(url, "t")
    file.write_bytes(b"nothing of the kind\n")
    for use in (lambda: open_study(url, "s", MAXIMIZE), lambda: load_study(url, "s")):
        with pytest.raises(UserError, match=f"hydra.sweeper.storage={kind}.*the study s cannot be"):
            use()


def test_a_sampler_draws_by_the_trials_number(tmp_path: Path) -> None:
    def draws(seed: int, name: str) -> list[float]:
        sampler = SeededByTrial(lambda s: TPESampler(seed=s), seed)
        queue = TrialQueue(open_study(f"sqlite:///{tmp_path / name}", "s", MAXIMIZE, sampler), 3, X)
        return [t.params["x"] for t in (queue.take(), queue.take(), queue.take()) if t]

    assert draws(0, "a") == draws(0, "b")
    assert len({*draws(0, "c"), *draws(100, "d")}) == 6


def test_what_was_set_aside_says_why(tmp_path: Path) -> None:
    study = open_study(f"sqlite:///{tmp_path / 's'}", "s", MAXIMIZE)
    queue = TrialQueue(study, 5, SearchSpace({"a": CategoricalDistribution([1, 2])}))
    study.enqueue_trial({"a": 1})
    study.enqueue_trial({"a": 1})
    assert [t.params["a"] for t in (queue.take(), queue.take()) if t] == [1, 2]
    assert [t.user_attrs.get(ASIDE) for t in study.get_trials()] == [None, "the same settings as another's", None]
