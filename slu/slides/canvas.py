"""The machine learning canvas (Dorard, 2015), of the bundle and the evaluation; what was not measured says so."""

from dataclasses import dataclass

from slu.bundles import Bundle
from slu.documents.slide_parts import Canvas, Field, Slide
from slu.evaluation.verdict import described, hardest_condition
from slu.slides.missing import missing_slide
from slu.slides.opening import encoder_name, front_end_name, parameters
from slu.slides.sources import Sources
from slu.slides.words import Missing, cite, counted, known, listed, percent, span

_COLUMNS = 5


@dataclass(frozen=True)
class _Entry:
    title: str
    text: str
    measured: bool = True


def canvas_slide(s: Sources) -> Slide:
    if isinstance(s.bundle, Missing):
        return missing_slide("Machine learning canvas", s.bundle)
    entries = [
        _decisions(s, s.bundle),
        _task(s.bundle),
        _value(s.bundle),
        _sources(s),
        _collection(s),
        _predicting(s),
        _offline(s),
        _Entry("Live monitoring", "Not measured: no answers of a running service belong to this evaluation.", False),
        _features(s.bundle),
        _model(s.bundle),
    ]
    open_ = [entry.title for entry in entries if not entry.measured]
    title = f"{len(entries) - len(open_)} of {len(entries)} fields of the machine learning canvas are known"
    title += f"; open: {listed([name.lower() for name in open_])}" if open_ else ""
    notes = [
        cite(s.metrics_path, "decisions, making predictions, offline evaluation"),
        cite(s.bundle.folder / "spec.json", "prediction task, threshold, front end"),
        cite(s.bundle.folder / "metrics.json", "split, epochs, CPU seconds, objective"),
        cite(s.bundle.folder / "config.yaml", "encoder"),
    ]
    if not isinstance(s.data, Missing):
        notes.append(cite(s.data.path, "data sources"))
    return Slide(title, Canvas([Field(e.title, e.text) for e in entries], _COLUMNS), notes)


def _decisions(s: Sources, bundle: Bundle) -> _Entry:
    rule = f"Act on the labels from a confidence of {bundle.spec.min_confidence:.3g}, else ask again."
    answered, wrong = s.metrics.get("understood_share"), s.metrics.get("wrong_and_understood_share")
    if answered is None or wrong is None:
        return _Entry("Decisions", f"{rule} How often: not measured.", False)
    return _Entry("Decisions", f"{rule} Tested: {percent(1 - answered)} asked again, {percent(wrong)} wrong unnoticed.")


def _task(bundle: Bundle) -> _Entry:
    heads = listed([f"{head.name} ({len(head.classes)} classes)" for head in bundle.spec.heads])
    limits = f"{bundle.spec.min_duration_s:g} to {bundle.spec.max_duration_s:g} s"
    return _Entry("Prediction task", f"In: one utterance of {limits}. Out: {heads}.")


def _value(bundle: Bundle) -> _Entry:
    return _Entry(
        "Value proposition",
        f"{listed(bundle.spec.head_names).capitalize()} of a spoken utterance, without typing, on one's own machine: "
        "no recording leaves it.",
    )


def _sources(s: Sources) -> _Entry:
    if isinstance(s.data, Missing):
        return _Entry("Data sources", "Not found: the manifest is elsewhere.", False)
    parts = [counted(s.data.clips, "clip")]
    if s.data.people:
        parts.append(f"of {counted(s.data.people, 'speaker')}")
    kinds = "; ".join(f"{name}: {count:,}" for name, count in list(s.data.sources.items())[:3])
    return _Entry("Data sources", " ".join(parts) + (f" ({kinds})." if kinds else "."))


def _collection(s: Sources) -> _Entry:
    text = f"Corrected answers come back as rows of a manifest. Training split: {known(s.training_split)}."
    if (evaluated := s.evaluated_split) is not None:
        text += f" Evaluated split: {evaluated}."
    return _Entry("Data collection", text)


def _predicting(s: Sources) -> _Entry:
    speed = s.metrics.get("clips_per_cpu_second")
    if speed is None:
        return _Entry("Making predictions", "One clip at a time or in batches. Speed: not measured.", False)
    return _Entry(
        "Making predictions", f"One clip at a time or in batches: {speed:g} clips per CPU second, decoding included."
    )


def _offline(s: Sources) -> _Entry:
    m = s.metrics
    if m["joint_accuracy"] is None:
        return _Entry("Offline evaluation", "No clip has all labels; see each head.")
    text = f"{percent(m['joint_accuracy'])} of {counted(m['n_joint'], 'clip')} right ({span(m['joint_interval'])})."
    if hardest := hardest_condition(m["conditions"]):
        text += f" Hardest: {described(hardest[0])}, {percent(hardest[1]['joint_accuracy'])}."
    return _Entry("Offline evaluation", text)


def _features(bundle: Bundle) -> _Entry:
    front_end = bundle.front_end
    return _Entry(
        "Features",
        f"{front_end_name(bundle)}: {front_end.size} values every {1000 * front_end.hop_s:g} ms at "
        f"{front_end.sample_rate:,} Hz; the same code in training and in use.",
    )


def _model(bundle: Bundle) -> _Entry:
    m = bundle.metrics
    text = f"{encoder_name(bundle)}, {parameters(bundle):,} parameters"
    if m.get("epochs") is None or m.get("cpu_s") is None:
        return _Entry("Building models", f"{text}. Cost of training: not recorded.", False)
    text += f", {counted(int(m['epochs']), 'epoch')}, {m['cpu_s']:,.0f} CPU seconds"
    objective = m.get("objective")
    return _Entry("Building models", text + ("." if objective is None else f"; validation objective {objective:.3f}."))
