"""One retraining, from the corrections to the decision; killed at any moment, the same call goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from slu.adaptation.replay import ReplaySettings
from slu.adaptation.settings import AdaptSettings
from slu.bundles import Bundle, Predictor, load_bundle
from slu.bundles.store import Registry
from slu.common.errors import UserError
from slu.common.files import content_hash, read_json, settings_hash, write_json
from slu.corpus.manifest import Manifest
from slu.evaluation.clip_choice import choose_clips
from slu.evaluation.conditions import ConditionSettings
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.run import clip_digests, evaluate
from slu.feedback import FeedbackStore
from slu.retraining.base import frozen_test
from slu.retraining.challenger import latency_ratio, make_challenger, register_challenger
from slu.retraining.corrections import DECISION, HOLDOUT, TRAIN, Corrections, collect, write_manifest
from slu.retraining.decision import write_decision
from slu.retraining.from_scratch import ScratchSettings, train_anew
from slu.retraining.gate import GateSettings, judge
from slu.versions import LIVE, resolved
from slu.versions.aliases import answering, target

PROMOTED = "promoted.json"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RetrainSettings:
    task: str
    corrections: int
    unreviewed: bool
    dry_run: bool
    test: str | None
    workers: int
    method: Literal["fine_tune", "from_scratch"]
    conditions: ConditionSettings
    gate: GateSettings
    adapt: AdaptSettings
    replay: ReplaySettings
    scratch: ScratchSettings


@dataclass(frozen=True)
class Outcome:
    said: str
    work: Path | None = None
    """Where the decision lies; None where there was nothing to decide."""
    version: str | None = None
    """What was promoted."""


class Retraining:
    def __init__(self, outputs: Path, store: FeedbackStore, settings: RetrainSettings, progress: Progress) -> None:
        self.outputs, self.store, self.settings, self.progress = outputs, store, settings, progress
        self.registry = Registry(outputs / "registry")
        self.home = outputs / "retrain" / settings.task

    def run(self) -> Outcome:
        """Raises UserError where there is no champion, no frozen test, or nothing usable to learn from."""
        if self.settings.task not in (known := self.registry.tasks()):
            raise UserError(
                f"there is no task '{self.settings.task}' in {self.registry.root}; known: "
                + " or ".join(f"task={task}" for task in known)
            )
        champion = load_bundle(resolved(self.registry.root / self.settings.task / "live"))
        unreviewed = self.settings.unreviewed
        corrections = collect(self.store, champion.spec, self.home, self._settings(), unreviewed=unreviewed)
        work = self._unfinished() or self._begun(champion, corrections)
        if work is None:
            return Outcome(
                f"{corrections.fresh} of {self.settings.corrections} new corrections are there; nothing to do yet"
            )
        if not (work / DECISION).is_file():
            self._decide(champion, corrections, work)
        return self._act(work)

    def _unfinished(self) -> Path | None:
        """A retraining that passed, and was cut short before it went live."""
        for decision in sorted(self.home.glob(f"*/{DECISION}")):
            known = read_json(decision)
            if (
                known["passed"]
                and known.get("settings") == self._settings()
                and not (decision.parent / PROMOTED).is_file()
                and not self.settings.dry_run
            ):
                return decision.parent
        return None

    def _begun(self, champion: Bundle, corrections: Corrections) -> Path | None:
        if corrections.fresh < self.settings.corrections or not corrections.of(TRAIN):
            return None
        name = settings_hash(champion.version, corrections.fingerprint(), self._settings())
        return self.home / f"{champion.version}-{name[:8]}"

    def _settings(self) -> str:
        """Of how a challenger is made and judged: what was decided under others does not count under these."""
        s = self.settings
        how = [s.adapt, s.replay] if s.method == "fine_tune" else s.scratch
        return settings_hash(s.method, how, s.gate, s.conditions, s.test)

    def _decide(self, champion: Bundle, corrections: Corrections, work: Path) -> None:
        s, spec = self.settings, champion.spec
        test = frozen_test(champion, s.test)
        known = set(clip_digests(test))  # whatever the test holds does not train
        rows = [row for row in corrections.of(TRAIN) if content_hash(row.audio) not in known]
        if not rows:
            raise UserError("every correction is a clip of the frozen test, from which nothing is learnt")
        train = write_manifest(rows, spec, work / "train.csv")
        print(f"retraining {champion.version} on {len(rows)} corrections: {work}", flush=True)
        if s.method == "from_scratch":
            challenger = train_anew(champion, train, test, s.scratch, work, self.outputs)
        else:
            challenger = make_challenger(champion, train, s.replay, s.adapt, work, self.outputs, s.workers)
        before, after = (self._answers(bundle, test, s.conditions) for bundle in (champion, challenger))
        held, feedback = corrections.of(HOLDOUT), None
        if held:
            clips = choose_clips(write_manifest(held, spec, work / "holdout.csv"), spec.heads).clips
            one, other = (
                self._answers(bundle, clips, ConditionSettings())["clean"] for bundle in (champion, challenger)
            )
            feedback = one, other
        checks = judge(before, after, feedback, latency_ratio(champion, challenger), s.gate)
        facts = {
            "task": spec.task,
            "champion": champion.version,
            "method": s.method.replace("_", " "),
            "corrections learnt from": len(rows),
            "corrections held back": len(held),
            "frozen test": f"{len(test.table)} clips of {test.path}",
        }
        write_decision(work, facts, checks, corrections.ids, self._settings())

    def _answers(self, bundle: Bundle, clips: Manifest, conditions: ConditionSettings) -> dict[str, Evaluation]:
        keep, digests = self.outputs / "answers", clip_digests(clips)
        return evaluate(Predictor(bundle), clips, conditions, keep=keep, digests=digests, progress=self.progress)

    def _act(self, work: Path) -> Outcome:
        decision = read_json(work / DECISION)
        if not decision["passed"]:
            reasons = "; ".join(decision["refusals"])
            return Outcome(f"refused, and {decision['champion']} goes on answering: {reasons}", work)
        if self.settings.dry_run:
            return Outcome("passed; dry_run promotes nothing", work)
        task, champion = self.settings.task, str(decision["champion"])
        home = self.registry.home(task)
        if target(home, LIVE) is None and answering(home) == champion:
            # From here on the registering of a version moves nothing that a server answers with.
            self.registry.promote(task, champion, "answered until now", by="retrain")
        version = register_challenger(self.registry, task, work)
        if answering(home) not in (champion, version):
            write_json(work / PROMOTED, {"version": None})
            return Outcome(f"passed against {champion}, but {answering(home)} answers by now: not promoted", work)
        why = f"retrained on {decision['corrections learnt from']} corrections; every check of the gate holds"
        self.registry.promote(task, version, why, by="retrain")
        self.store.mark_used(decision["corrections"], version)
        write_json(work / PROMOTED, {"version": version})
        return Outcome(f"promoted {version}", work, version)
