"""The model card of a bundle (Mitchell et al., 2019), written from its own numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from slu.common.wording import against_reference, balance_matters, figure, signed, with_interval
from slu.models import origin
from slu.spec import Head, TaskSpec


def model_card(
    spec: TaskSpec, config: Mapping[str, Any], metrics: Mapping[str, Any], training: Mapping[str, Any]
) -> str:
    """Markdown. What was not measured is said to be unknown."""
    parts = [
        f"# Model card: {spec.task}",
        _leak(metrics, training),
        _use(spec, config, metrics),
        _data(config, metrics, training),
        _adaptation(metrics),
        _results(metrics),
        _failures(config, metrics),
        _licence(config),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _leak(metrics: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    split = str(metrics.get("split") or training.get("split") or "unknown")
    leaking: Sequence[str] = metrics.get("leaking_speakers") or training.get("leaking_speakers") or ()
    if split == "speaker-disjoint":
        return ""
    if leaking:
        names = ", ".join(leaking[:10]) + (", …" if len(leaking) > 10 else "")
        split = f"speakers leak: {len(leaking)} on both sides of it ({names})"
    return (
        f"> **Warning: the split is not speaker-disjoint: {split}.** The test figures below are about people "
        "that the model was trained on, or may be; they say little about anybody else."
    )


def _use(spec: TaskSpec, config: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    not_for = "transcribing speech, words outside the lists above, telling people apart, decisions about people."
    not_for += f" {(config.get('data') or {}).get('not_for') or ''}".rstrip()
    heads = "\n".join(_head(head) for head in spec.heads)
    return f"""## Intended use

One short utterance in ({spec.min_duration_s:g} to {spec.max_duration_s:g} s), one label per head out:

{heads}

An answer counts as understood when the confidence is at least {spec.min_confidence:.3g} and the clip is neither silent
nor too short or long; anything else should be asked again. {_decision(metrics)}
Not for: {not_for}"""


def _head(head: Head) -> str:
    names = [f"{c} (shown as {head.shown(c)})" if c not in ("", head.shown(c)) else head.shown(c) for c in head.classes]
    threshold = f"; {head.classes[1]} from a score of {head.threshold:.3f} on" if head.threshold != 0.5 else ""
    return f"- `{head.name}`: {', '.join(names)}{threshold}"


def _decision(metrics: Mapping[str, Any]) -> str:
    chosen = metrics.get("decision") or {}
    if not chosen.get("notes"):
        return ""
    heard = chosen["validation"]
    speakers = f" of {heard['speakers']} speakers" if heard.get("speakers") else ""
    return f"Chosen on {heard['clips']} validation clips{speakers}: {'; '.join(chosen['notes'])}."


def _data(config: Mapping[str, Any], metrics: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    data: Mapping[str, Any] = config.get("data") or {}
    lines = []
    if started_from := origin(config.get("model") or {}):
        lines.append(f"- Built on {started_from}.")
    if data.get("manifest"):
        lines.append("- Recordings from a manifest.")
    if data.get("synthetic_speech"):
        lines.append("- Synthetic speech: the menu spoken by espeak-ng voices.")
    if "clips" in training:
        count = len(training.get("speakers", ()))
        lines.append(f"- Trained on {len(training['clips'])} clips" + (f" of {count} speakers." if count else "."))
    lines.append(f"- Split: {metrics.get('split') or training.get('split') or 'unknown'}.")
    if metrics.get("data"):
        lines.append(f"- Data fingerprint: `{metrics['data']}`.")
    return "## Data\n\n" + "\n".join(lines)


def _adaptation(metrics: Mapping[str, Any]) -> str:
    """Where the bundle comes from, and what its adaptation changed."""
    adaptation: Mapping[str, Any] = metrics.get("adaptation") or {}
    if not adaptation:
        return ""
    rows = [
        [
            row["name"],
            with_interval(row["before"], row["interval"]),
            figure(row["after"]),
            signed(row["after"] - row["before"], row["difference_interval"]),
            str(row["clips"]),
        ]
        for row in adaptation["changes"]
    ]
    labelled, unlabelled = adaptation["labelled"], adaptation["unlabelled_clips"]
    clips = [f"{labelled} clips with labels"] * bool(labelled) + [f"{unlabelled} without"] * bool(unlabelled)
    chain = " from ".join(f"`{version}`" for version in reversed(adaptation["lineage"]))
    text = (
        f"Adapted from {chain}, to {' and '.join(clips)}. All labels right, with 95 % intervals; it was not tested "
        "anew. How it decides (confidence, thresholds) was chosen for the one it was adapted from."
    )
    return "\n\n".join(["## Adaptation", text, _table(["clips heard", "before", "after", "difference", "clips"], rows)])


def _results(metrics: Mapping[str, Any]) -> str:
    test: Mapping[str, Any] = metrics.get("test") or {}
    if not test:
        return "" if metrics.get("adaptation") else "## Results\n\nNot tested."
    if folds := test.get("leave_one_speaker_out"):
        return _folds(folds)
    clean = next(iter(test.values()))
    heads = list(clean.get("heads", {}))
    balanced = [name for name in heads if balance_matters(clean["heads"][name])]
    header = ["condition", "all labels right", *(f"{name} accuracy" for name in heads)]
    header += [*(f"{name} balanced accuracy" for name in balanced), "clips"]
    beside: Mapping[str, Any] | None = clean.get("reference")
    if beside:
        header.append(f"{beside['name']}, balanced accuracy")
    rows = [
        [
            name,
            with_interval(m.get("joint_accuracy"), m.get("joint_interval")),
            *(with_interval(m["heads"][h]["accuracy"], m["heads"][h].get("accuracy_interval")) for h in heads),
            *(
                with_interval(m["heads"][h]["balanced_accuracy"], m["heads"][h].get("balanced_accuracy_interval"))
                for h in balanced
            ),
            str(m.get("n", "-")),
            *([with_interval(m["reference"]["balanced_accuracy"], m["reference"]["interval"])] if beside else []),
        ]
        for name, m in test.items()
    ]
    notes = [f"Intervals: {clean.get('interval', 'not computed')}."]
    if clean.get("joint_ece") is not None:
        notes.append(f"Expected calibration error of the confidence: {clean['joint_ece']:.3f}.")
    if beside:
        notes.append(against_reference(beside))
    return "\n\n".join(["## Results", _table(header, rows), " ".join(notes)])


def _folds(folds: Mapping[str, Any]) -> str:
    rows = [[name, figure(m.get("joint_accuracy")), str(m.get("n", "-"))] for name, m in folds["speakers"].items()]
    low, high = folds["interval_95"]
    text = (
        f"Each speaker held out in turn: mean {folds['mean']:.3f} (95 % interval over speakers {low:.3f} to "
        f"{high:.3f}), worst {folds['worst']:.3f} ({folds['worst_speaker']}). "
        "This bundle was then trained on all of them."
    )
    if leaky := folds.get("leaky_split"):
        text += (
            " On the data's own split, in which speakers leak, the same recipe shows "
            f"{figure(leaky['joint_accuracy'])}: not a figure to expect from new people."
        )
    return "\n\n".join(["## Results", _table(["held-out speaker", "all labels right", "clips"], rows), text])


def _failures(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    test: Mapping[str, Any] = metrics.get("test") or {}
    data: Mapping[str, Any] = config.get("data") or {}
    lines = []
    if data.get("synthetic_speech") and not data.get("manifest"):
        lines.append("- Trained and tested on synthetic voices only: how well it understands people was not measured.")
    conditions = {name: m for name, m in test.items() if m.get("joint_accuracy") is not None}
    if conditions:
        name = min(conditions, key=lambda key: conditions[key]["joint_accuracy"])
        lines.append(f"- Hardest tested condition: {name}, {conditions[name]['joint_accuracy']:.3f} all labels right.")
        speakers = next(iter(conditions.values())).get("speakers", {})
        if len(speakers) > 1:
            worst = min(speakers, key=lambda key: speakers[key]["joint_accuracy"])
            lines.append(f"- Worst of {len(speakers)} test speakers: {speakers[worst]['joint_accuracy']:.3f}.")
    lines += [
        "- Words outside the lists above are answered with one of the lists' words unless the confidence is low.",
        _trust(metrics),
        "- Microphones, rooms, accents and ages other than those tested: unknown.",
    ]
    return "## Known failures\n\n" + "\n".join(lines)


def _trust(metrics: Mapping[str, Any]) -> str:
    heads = (metrics.get("decision") or {}).get("heads", {}).values()
    if any("temperature" in head for head in heads):
        return "- The confidence was calibrated on validation clips; on other voices and rooms it promises too much."
    return "- The confidence is not calibrated unless the figures above say so."


def _licence(config: Mapping[str, Any]) -> str:
    data: Mapping[str, Any] = config.get("data") or {}
    lines = []
    if data.get("synthetic_speech"):
        lines.append(
            "- The synthetic speech was made with espeak-ng (GPL-3.0); the licence covers the program, and its output "
            "is not a copy of it."
        )
    if data.get("manifest"):
        lines.append("- The recordings' own licence applies to what may be done with this model; it is not known here.")
    return "## Licence notes\n\n" + "\n".join(lines) if lines else ""


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
