"""Optuna's own plots of a study: as pages to point at (Plotly), and as pictures (Matplotlib)."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import optuna.visualization as interactive
import optuna.visualization.matplotlib as still
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.study import Study
from optuna.trial import TrialState

from slu.common.files import atomic_write
from slu.documents.figures import encode

_IMPORTANCES_FROM = 8
"""Trials below which a forest over the settings says nothing."""
_SLICES = 4
"""Parameters in a row, of which a page shows no more."""


def importances(study: Study, objective: int = 0) -> dict[str, float]:
    """Share of the objective's variance that each parameter explains by itself and with others: functional ANOVA over a
    random forest of the whole trials (Hutter, Hoos and Leyton-Brown, 2014). Empty with too few of them, and where all
    have ended alike."""
    whole = [t for t in study.get_trials(deepcopy=False) if t.state is TrialState.COMPLETE]
    if len(whole) < _IMPORTANCES_FROM or len({t.values[objective] for t in whole}) < 2:
        return {}
    target = _target(study, objective)
    return dict(get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0), target=target))


def plots(study: Study) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, Optuna's function and its arguments, for those that the study has enough trials for."""
    whole = [t for t in study.get_trials(deepcopy=False) if t.state is TrialState.COMPLETE]
    several = len(study.directions) > 1
    first: dict[str, Any] = {"target": _target(study, 0), "target_name": "first objective"} if several else {}
    if not whole:
        return
    yield "history", "plot_optimization_history", first
    if any(t.intermediate_values for t in study.get_trials(deepcopy=False)):
        yield "epochs", "plot_intermediate_values", {}
    if importances(study):
        yield "importance", "plot_param_importances", {"evaluator": FanovaImportanceEvaluator(seed=0), **first}
    if len(whole) > 1:
        yield "parallel", "plot_parallel_coordinate", first
        names = sorted({name for t in whole for name in t.params})
        for part, start in enumerate(range(0, len(names), _SLICES)):
            name = f"slice-{part + 1}" if part else "slice"
            yield name, "plot_slice", {"params": names[start : start + _SLICES], **first}
    if several and len(study.directions) < 4:
        yield "pareto", "plot_pareto_front", {}


def write_plots(study: Study, folder: Path) -> dict[str, Figure]:
    """`NAME.html` (with one `plotly.min.js` for all) and `NAME.png` in the folder; the pictures by name."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that Matplotlib's plots are young, and that some parameters are conditional
        for name, function, arguments in plots(study):
            page = getattr(interactive, function)(study, **arguments)
            page.write_html(folder / f".{name}.html", include_plotlyjs="directory")
            (folder / f".{name}.html").replace(folder / f"{name}.html")
            made[name] = _picture(study, function, arguments)
            with atomic_write(folder / f"{name}.png", "wb") as file:
                file.write(encode(made[name], "png"))
    return made


def _picture(study: Study, function: str, arguments: dict[str, Any]) -> Figure:
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt  # Optuna draws with it; after the choice of a backend that needs no screen

    with plt.style.context("default"):
        drawn = getattr(still, function)(study, **arguments)
    axes = drawn if hasattr(drawn, "figure") else drawn.flat[0]
    figure: Figure = axes.figure
    if function == "plot_slice":
        figure.set_size_inches(10, 3.2)
    elif function == "plot_parallel_coordinate":
        figure.set_size_inches(11, 4.5)
        axes.tick_params(axis="x", rotation=20)
    else:
        figure.set_size_inches(7, 4)
    for each in figure.axes:
        for scale, axis in ((each.get_xscale(), each.xaxis), (each.get_yscale(), each.yaxis)):
            if scale == "log":  # Matplotlib's own labels are formulas, which our figures do not read
                axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axis.set_minor_formatter(NullFormatter())
    legend = axes.get_legend()
    if function == "plot_intermediate_values" and legend is not None:
        legend.remove()  # a line for every trial
    figure.tight_layout()
    plt.close(figure)
    return figure


def _target(study: Study, objective: int) -> Any:
    return None if len(study.directions) == 1 else lambda trial: trial.values[objective]
