"""The figures of growing corpora, for the terminal and as a page."""

from collections.abc import Mapping
from pathlib import Path

from rich.table import Table as RichTable

from slu.benchmarks.scale import growth
from slu.benchmarks.scale_steps import Figures, ScaleSettings
from slu.common.files import write_json
from slu.documents.page import Page, Section, Table, Text, write_page

_ROWS = {
    "preprocess_cpu_ms": "preprocess, CPU ms / clip",
    "preprocess_wall_ms": "preprocess, ms / clip on the clock",
    "again_cpu_ms": "all cached, CPU ms / clip",
    "start_cpu_ms": "start of training, CPU ms / clip",
    "read_cpu_ms": "reading, CPU ms / clip and epoch",
    "batch_cpu_ms": "reading into batches, CPU ms / clip and epoch",
    "augmented_cpu_ms": "and augmenting, CPU ms / clip and epoch",
    "train_cpu_ms": "whole epoch, CPU ms / clip",
    "preprocess_mb": "preprocess, peak MB",
    "worker_mb": "each worker, peak MB",
    "again_mb": "all cached, peak MB",
    "epoch_start_mb": "before the first batch, resident MB",
    "epoch_end_mb": "after the epochs of reading, resident MB",
    "epoch_peak_mb": "reading, peak MB",
    "train_start_mb": "before the fit, resident MB",
    "train_end_mb": "after a trained epoch, resident MB",
    "train_peak_mb": "trained epoch, peak MB",
    "clips_kb": "audio, KB / clip on disk",
    "features_kb": "features, KB / clip on disk",
    "features_files": "files of features",
}


def scale_table(found: Mapping[int, Figures]) -> RichTable:
    columns, rows = _cells(found)
    table = RichTable(title="what a clip costs as the corpus grows", title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    return table


def write_scale(found: Mapping[int, Figures], settings: ScaleSettings, folder: Path) -> None:
    """scale.json and report.html."""
    facts = {"features_store": settings.features_store, "workers": settings.workers, "threads": settings.threads}
    write_json(folder / "scale.json", {"clips": found, "growth": growth(found), "settings": facts})
    columns, rows = _cells(found)
    how = (
        f"{settings.spoken} spoken orders, repeated; features as {settings.features_store}, computed by "
        f"{settings.workers} processes where there are many. The last column: times of the largest corpus to those of "
        "the smallest; of memory, kilobytes per further clip. Small corpora carry what every start costs."
    )
    write_page(
        folder / "report.html",
        Page(
            "Benchmark scale",
            "What a clip costs as the corpus grows",
            [Section("Figures", [Table(columns, rows), Text(how)])],
        ),
    )


def _cells(found: Mapping[int, Figures]) -> tuple[list[str], list[list[str]]]:
    grown = growth(found)
    rows = []
    for name, title in _ROWS.items():
        if any(name in figures for figures in found.values()):
            cells = [_figure(name, figures[name]) if name in figures else "-" for figures in found.values()]
            rows.append([title, *cells, _growth(name, grown)])
    return ["clips", *(f"{size:,}" for size in found), "growth"], rows


def _figure(name: str, value: float) -> str:
    return f"{value:.3f}" if name.endswith("_ms") else f"{value:,.0f}"


def _growth(name: str, grown: Mapping[str, float]) -> str:
    if name not in grown:
        return ""
    return f"x {grown[name]:.2f}" if name.endswith("_ms") else f"{grown[name]:.2f} KB / clip"
