"""Several recognisers on the same clips: who is better under what, and could it be chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rich.table
from matplotlib.figure import Figure

from slu.bundles import Bundle
from slu.common.errors import UserError
from slu.common.wording import against_reference, figure, with_interval
from slu.documents.figures import SERIES, new_axes
from slu.documents.page import Page, Picture, Section, Table, Text
from slu.evaluation.comparison import Comparison, compare
from slu.evaluation.evaluation import Evaluation

Results = Mapping[str, Evaluation]


@dataclass(frozen=True)
class Pair:
    """`first` against `second` under one condition."""

    first: str
    second: str
    comparison: Comparison

    @property
    def winner(self) -> str:
        return {"A": self.first, "B": self.second, "": ""}[self.comparison.verdict]


def short_names(bundles: Sequence[Bundle], names: Sequence[str] = ()) -> dict[str, str]:
    """`A (M1)`, `B (M2)`, … by version: versions are too long and too alike to be read in a table.

    Networks of one class are told apart by what else differs in their settings: `A (Recurrent lstm)`. `names` take
    the place of the first letters.
    """
    letters = [*names, *(chr(ord("A") + i) if i < 26 else f"A{i}" for i in range(len(names), len(bundles)))]
    return {b.version: f"{letter} ({_model(b, bundles)})" for letter, b in zip(letters, bundles, strict=True)}


def merge_warnings(texts: Mapping[str, Sequence[str]]) -> list[str]:
    """What is said of all bundles once, the rest with the name of its bundle."""
    common = [text for text in next(iter(texts.values())) if all(text in other for other in texts.values())]
    own = [f"{label}: {text}" for label, found in texts.items() for text in found if text not in common]
    return [*own, *common]


def _model(bundle: Bundle, among: Sequence[Bundle]) -> str:
    model: Mapping[str, Any] = bundle.config["model"]
    alike = [other.config["model"] for other in among if other.config["model"]["_target_"] == model["_target_"]]
    differ = [key for key in model if any(other.get(key) != model[key] for other in alike)]
    settings = [str(model[key]) if isinstance(model[key], str) else f"{key} {model[key]}" for key in differ[:2]]
    return " ".join([str(model["_target_"]).rsplit(".", 1)[-1], *settings])


def compare_bundles(scored: Mapping[str, Results]) -> dict[str, list[Pair]]:
    """By condition, the first bundle against each other one. Raises UserError when they answer other questions."""
    names = list(scored)
    first = scored[names[0]]
    heads = {h.name for h in next(iter(first.values())).heads}
    for name in names[1:]:
        others = {h.name for h in next(iter(scored[name].values())).heads}
        if others != heads:
            raise UserError(f"{names[0]} answers {sorted(heads)} and {name} {sorted(others)}: nothing to compare")
    pairs: dict[str, list[Pair]] = {}
    for condition, evaluation in first.items():
        for name in names[1:]:
            other = scored[name][condition]
            whole = evaluation.complete & other.complete
            if whole.any():
                pairs.setdefault(condition, []).append(
                    Pair(
                        names[0], name, compare(evaluation.right[whole], other.right[whole], evaluation.units_of(whole))
                    )
                )
    return pairs


def sentences(pairs: Mapping[str, Sequence[Pair]]) -> list[str]:
    """One per pair of bundles: where the difference is more than chance."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for condition, rows in pairs.items():
        for pair in rows:
            found.setdefault((pair.first, pair.second), {}).setdefault(pair.winner, []).append(condition)
    lines = []
    for (first, second), by_winner in found.items():
        parts = [
            f"{winner} is better under {', '.join(by_winner[winner])}"
            for winner in (first, second)
            if winner in by_winner
        ]
        if "" in by_winner:
            parts.append(f"the difference may be chance under {', '.join(by_winner[''])}")
        lines.append(f"{first} against {second}: {'; '.join(parts)}.")
    return lines


def rules(scored: Mapping[str, Results]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """The rules that stood beside the bundles: name as a column has it -> condition -> figures."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for results in scored.values():
        for condition, evaluation in results.items():
            if (values := evaluation.metrics.get("reference")) is not None:
                name = values["name"] + (f", {values['head']} only" if len(evaluation.heads) > 1 else "")
                found.setdefault(name, {}).setdefault(condition, values)
    return found


def against_rules(scored: Mapping[str, Results]) -> list[str]:
    """One sentence per bundle, of the clean clips."""
    clean = {label: next(iter(results.values())).metrics.get("reference") for label, results in scored.items()}
    return [f"{label}: {against_reference(values)}" for label, values in clean.items() if values is not None]


def comparison_page(
    scored: Mapping[str, Results],
    pairs: Mapping[str, Sequence[Pair]],
    warnings: Sequence[str],
) -> Page:
    """The reports of the single bundles lie in folders named after their versions, beside this page."""
    clean = next(iter(next(iter(scored.values())).values()))
    conditions = list(next(iter(scored.values())))
    beside = rules(scored)
    figures = [
        [
            name,
            *(_cell(results[name]) for results in scored.values()),
            *(_rule_cell(of.get(name)) for of in beside.values()),
        ]
        for name in conditions
    ]
    bundles = {label: next(iter(results.values())).predictor.bundle for label, results in scored.items()}
    which = [
        [label, b.version, f"{sum(p.numel() for p in b.recogniser.parameters()):,}", f"{b.version}/report.html"]
        for label, b in bundles.items()
    ]
    tests = [
        [
            condition,
            f"{pair.first} minus {pair.second}",
            *tested(pair.comparison),
            pair.winner or _undecided(pair.comparison),
        ]
        for condition, rows in pairs.items()
        for pair in rows
    ]
    columns = ["condition", "pair", "difference", "95 % interval", "only first", "only second", "McNemar p", "better"]
    sections = [
        Section("Answer", [Text("\n\n".join([*sentences(pairs), *against_rules(scored)]))]),
        Section(
            "All labels right",
            [
                Picture(_figure(scored), "Accuracy of each bundle by condition"),
                Table(["condition", *scored, *beside], figures, caption="with 95 % intervals"),
            ],
        ),
        Section("Is the difference more than chance?", [Table(columns, tests, text_columns=(0, 1, 7)), Text(_METHOD)]),
        Section("Which is which", [Table(["", "bundle", "parameters", "its report"], which, text_columns=(0, 1, 3))]),
    ]
    return Page(
        f"{clean.predictor.bundle.spec.task}: {' against '.join(scored)}",
        f"{clean.metrics['n']} clips of {clean.manifest.path}",
        sections,
        warnings,
        f"Intervals: {clean.metrics['interval']}.",
    )


_METHOD = (
    "The difference is in the share of clips with all labels right, on the same clips. Its interval resamples speakers "
    "where they are known; McNemar's exact test takes clips as independent and is the less careful of the two. "
    "'Better' means that the interval leaves out zero; with many conditions, one in twenty does so by chance."
)


def _cell(evaluation: Evaluation) -> str:
    return with_interval(evaluation.metrics["joint_accuracy"], evaluation.metrics["joint_interval"])


def _rule_cell(values: Mapping[str, Any] | None) -> str:
    return "-" if values is None else with_interval(values["accuracy"], values["accuracy_interval"])


def _undecided(c: Comparison) -> str:
    return "may be chance" if c.only_a or c.only_b else "no difference"


def tested(c: Comparison) -> list[str]:
    """Difference, its interval, clips that only the first and only the second has right, McNemar's p."""
    interval = "-" if c.interval is None else f"{c.interval[0]:+.3f} to {c.interval[1]:+.3f}"
    p = "< 0.001" if c.p_mcnemar < 0.001 else f"{c.p_mcnemar:.3f}"
    return [f"{c.difference:+.3f}", interval, str(c.only_a), str(c.only_b), p]


def _figure(scored: Mapping[str, Results]) -> Figure:
    conditions = list(next(iter(scored.values())))
    figure_, (axes,) = new_axes(6.6, 0.9 + 0.24 * len(conditions) * len(scored))
    height = 0.8 / len(scored)
    for place, (colour, (name, results)) in enumerate(zip(SERIES, scored.items(), strict=False)):
        for row, condition in enumerate(reversed(conditions)):
            metrics = results[condition].metrics
            if metrics["joint_accuracy"] is None:
                continue
            y = row + 0.4 - height * (place + 0.5)
            axes.barh(y, metrics["joint_accuracy"], 0.9 * height, color=colour, label=name if row == 0 else None)
            if metrics["joint_interval"]:
                axes.plot(metrics["joint_interval"], [y, y], color="black", linewidth=1)
    axes.set_yticks(range(len(conditions)), list(reversed(conditions)))
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, 1.005), xlabel="all labels right")
    figure_.legend(loc="outside lower center", ncols=1)
    return figure_


def comparison_table(scored: Mapping[str, Results], pairs: Mapping[str, Sequence[Pair]]) -> rich.table.Table:
    """For the terminal."""
    table = rich.table.Table(title="all labels right, on the same clips", title_justify="left")
    table.add_column("condition")
    names = list(scored)
    for name in names:
        table.add_column(name, justify="right")
    beside = rules(scored)
    for name in beside:
        table.add_column(name, justify="right")
    for name in names[1:]:
        table.add_column(f"{names[0]}\nminus {name}", justify="right")
    for condition in scored[names[0]]:
        cells = [figure(scored[name][condition].metrics["joint_accuracy"]) for name in names]
        cells += [figure(of.get(condition, {}).get("accuracy")) for of in beside.values()]
        for pair in pairs.get(condition, []):
            difference, interval, _, _, p = tested(pair.comparison)
            cells.append(f"{difference} ({interval}), p {p}")
        table.add_row(condition, *cells)
    return table
