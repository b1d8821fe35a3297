"""A new recogniser beside the one that answers today, in the words of a pull request."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from slu.bundles import Bundle
from slu.common.errors import UserError
from slu.common.files import atomic_write
from slu.common.wording import with_interval
from slu.evaluation.compare_report import Pair, Results, rules, sentences, tested
from slu.spec import Head
from slu.versions.aliases import resolved
from slu.versions.places import place_of

NAMES = ("new", "champion")


def champion_at(place: str | None, bundles: Sequence[str], registry: Path) -> Path | None:
    """None where there is no champion yet: the first recogniser has nothing to be compared with.

    Raises UserError where several bundles stand against it.
    """
    if place is not None and len(bundles) > 1:
        raise UserError("champion= stands beside one bundle; list them all in bundle=[…] instead")
    folder = None if place is None else resolved(place_of(place, registry))
    if folder is None or folder.is_dir():
        return folder
    print(f"no champion at {place}: there is nothing to compare with yet", flush=True)
    return None


def same_task(champion: Bundle, new: Bundle) -> bool:
    """Whether both answer the same questions; said where they do not, as after a change of the menu."""
    theirs, ours = ({head.name for head in bundle.spec.heads} for bundle in (champion, new))
    if theirs != ours:
        print(
            f"the champion answers {', '.join(sorted(theirs))} and the new one {', '.join(sorted(ours))}: "
            "there is nothing to compare with yet",
            flush=True,
        )
    return theirs == ours


def is_worse(pairs: Mapping[str, Sequence[Pair]]) -> bool:
    """On clean clips, by more than chance. The other conditions are many: one of them looks worse by chance alone."""
    return any(pair.winner == pair.second for pair in pairs.get("clean", []))


def write_summary(
    path: Path, scored: Mapping[str, Results], pairs: Mapping[str, Sequence[Pair]], warnings: Sequence[str]
) -> None:
    with atomic_write(path) as file:
        file.write(markdown(scored, pairs, warnings))


def markdown(scored: Mapping[str, Results], pairs: Mapping[str, Sequence[Pair]], warnings: Sequence[str]) -> str:
    """The figures as GitHub shows a table: a row per condition, a column per bundle, and each difference."""
    clean = next(iter(next(iter(scored.values())).values()))
    spec = clean.predictor.bundle.spec
    names, beside = list(scored), rules(scored)
    columns = ["all labels right", *names, *beside, *(f"{names[0]} minus {name} (95 %)" for name in names[1:])]
    rows = []
    for condition in scored[names[0]]:
        figures = [scored[name][condition].metrics for name in names]
        cells = [with_interval(of["joint_accuracy"], of["joint_interval"]) for of in figures]
        for of in beside.values():
            values = of.get(condition)
            cells.append("-" if values is None else with_interval(values["accuracy"], values["accuracy_interval"]))
        for pair in pairs.get(condition, []):
            difference, interval, *_ = tested(pair.comparison)
            cells.append(f"{difference} ({interval})" + (f", {pair.winner} is better" if pair.winner else ""))
        rows.append([condition, *cells])
    bundles = {name: next(iter(results.values())).predictor.bundle.version for name, results in scored.items()}
    lines = [
        f"### {spec.task}: {', '.join(head_words(spec.heads))}",
        "",
        *(f"{text}\n" for text in sentences(pairs)),
        *_table(columns, rows),
        "",
        f"{clean.metrics['n']} clips of `{clean.manifest.path}`; {clean.metrics['interval']}. "
        + "; ".join(f"{name}: `{version}`" for name, version in bundles.items())
        + ".",
        *(f"\n> {text}" for text in warnings),
    ]
    return "\n".join(lines) + "\n"


def head_words(heads: Sequence[Head]) -> list[str]:
    return [f"{len(head.classes)} classes of {head.name}" for head in heads]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    aligned = ["---", *["---:"] * (len(columns) - 1)]
    return [f"| {' | '.join(map(_cell, row))} |" for row in (columns, aligned, *rows)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
