"""The figures of a benchmark, from its answers: what the terminal, the page and the JSON file show."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from slu.benchmarks.commands import MEASURES
from slu.benchmarks.people import PUBLIC, Measured
from slu.benchmarks.published import ACCEPTANCE, SOURCE, mean_acceptance
from slu.benchmarks.results import CLEAN, Mean, means_by, over_clips, over_runs

NAMES = {
    "bundle": "the given bundle",
    "cold": "cold: no recording of people in training",
    "grouped": "grouped: acoustic-group-disjoint cross-validation, the other groups' recordings added",
    "leave_one_speaker_out": "each speaker held out in turn, the other speakers' recordings added",
}
SHORT = {"bundle": "bundle", "cold": "cold", "grouped": "grouped", "leave_one_speaker_out": "held out"}
WORDS = {
    "strict": "right",
    "lenient": "right, lenient",
    "strict_accepted": "right and understood",
    "lenient_accepted": "right and understood, lenient",
    "understood": "understood",
}


@dataclass(frozen=True)
class Line:
    """One condition, or the mean of all noisy ones."""

    noise: str
    snr_db: float | None
    means: Mapping[str, Mean]

    @property
    def name(self) -> str:
        return self.noise if self.snr_db is None else f"{self.noise} {self.snr_db:g} dB"


class Summary:
    def __init__(self, measured: Measured) -> None:
        self.measured = measured
        self.whole_commands = len(PUBLIC[measured.settings.name].heads) > 1

    @cached_property
    def protocols(self) -> list[str]:
        return list(dict.fromkeys(self.measured.answers["protocol"]))

    @property
    def measures(self) -> tuple[str, ...]:
        """Of a single head, lenient and strict are the same."""
        return MEASURES if self.whole_commands else ("strict", "strict_accepted", "understood")

    def answers(self, protocol: str, noise: str | None = None, snr_db: float | None = None) -> pd.DataFrame:
        table = self.measured.answers[self.measured.answers["protocol"] == protocol]
        if noise is not None:
            table = table[table["noise"] == noise]
        return table if snr_db is None else table[table["snr_db"] == snr_db]

    def lines(self, protocol: str) -> list[Line]:
        """Clean, then by noise and SNR, then the mean over all SNRs of each noise, and of all noises."""
        answers = self.answers(protocol)
        noises = [name for name in dict.fromkeys(answers["noise"]) if name != CLEAN]
        lines = [self._line(CLEAN, None, answers[answers["noise"] == CLEAN])]
        for noise in noises:
            rows = answers[answers["noise"] == noise]
            lines += [self._line(noise, snr, rows[rows["snr_db"] == snr]) for snr in sorted(set(rows["snr_db"]))]
            lines.append(self._line(f"{noise}, mean", None, rows))
        if len(noises) > 1:
            lines.append(self._line("all noise, mean", None, answers[answers["noise"] != CLEAN]))
        return lines

    def _line(self, noise: str, snr_db: float | None, rows: pd.DataFrame) -> Line:
        known = [m for m in self.measures if m in rows.columns and rows[m].notna().all()]
        return Line(noise, snr_db, {measure: over_runs(rows, measure) for measure in known})

    def by(self, protocol: str, column: str) -> dict[str, Mean]:
        """Of the clean recordings, by `speaker` or `label`, worst first."""
        return means_by(self.answers(protocol, CLEAN), column, "strict")

    def engines(self) -> dict[str, dict[float | None, float]]:
        """Published engines and ours, by SNR, the mean of the noises; None is clean. Of whole commands alone."""
        if not self.whole_commands:
            return {}
        rows: dict[str, dict[float | None, float]] = {engine: mean_acceptance(engine) for engine in ACCEPTANCE}
        for protocol in self.protocols:
            answers = self.answers(protocol)
            levels: dict[float | None, pd.DataFrame] = {None: answers[answers["noise"] == CLEAN]}
            levels |= {snr: answers[answers["snr_db"] == snr] for snr in sorted(set(answers["snr_db"].dropna()))}
            for measure in ("lenient", "lenient_accepted", "strict"):
                name = f"ours, {SHORT[protocol]}: {WORDS[measure]}"
                rows[name] = {level: over_runs(of, measure).value for level, of in levels.items()}
        return rows

    def notes(self) -> list[str]:
        settings, answers = self.measured.settings, self.measured.answers
        clips = answers[(answers["noise"] == CLEAN) & (answers["clips"] == 1)].groupby("protocol")["clip"].nunique()
        noises = [name for name in dict.fromkeys(answers["noise"]) if name != CLEAN]
        source = self.measured.recordings.source
        found = [f"{SHORT[str(name)]}: {count:,} recordings of {source}." for name, count in clips.items()]
        for protocol in self.protocols:
            interval, by = over_clips(self.answers(protocol, CLEAN), "strict")
            if interval is not None:
                others = "people" if by.endswith("speakers") else "recordings"
                found.append(
                    f"{SHORT[protocol]}, clean: other {others} would move the mean within about "
                    f"{interval[0]:.3f} to {interval[1]:.3f} (95 % bootstrap over {by})."
                )
        runs = answers["run"].nunique()
        found.append(
            f"Means over {runs} {'bundles' if settings.bundles else 'seeds'}; the intervals are 95 % by Student's t "
            "over them, on the same recordings."
            if runs > 1
            else "One run alone: how much another seed would change is not known."
        )
        if noises:
            found.append(
                f"Noise: {', '.join(noises)}; the SNR is that of the loudest 128 ms frames; mean of {settings.draws} "
                f"draw{'s' if settings.draws > 1 else ''} per recording."
            )
        if self.whole_commands:
            found.append(
                "Lenient, as the benchmark counts: what is heard beyond the slots of the label is no error; strict: it "
                f"is one. Published: {SOURCE}; ours are of the noise named here."
            )
        return found

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {}
        for protocol in self.protocols:
            lines = self.lines(protocol)
            document[protocol] = {
                "what": NAMES[protocol],
                "conditions": [
                    {"noise": line.noise, "snr_db": line.snr_db} | {m: v.to_json() for m, v in line.means.items()}
                    for line in lines
                ],
                "interval_over_recordings": over_clips(self.answers(protocol, CLEAN), "strict"),
                "speakers": {name: mean.to_json() for name, mean in self.by(protocol, "speaker").items()},
                "labels": {name: mean.to_json() for name, mean in self.by(protocol, "label").items()},
            }
        return {
            "benchmark": self.measured.settings.name,
            "recordings": str(self.measured.recordings.source),
            "protocols": document,
            "engines": {name: {"clean" if k is None else f"{k:g}": v for k, v in row.items()}
                        for name, row in self.engines().items()},
            "trained": self.measured.trained,
            "warnings": self.measured.warnings,
            "notes": self.notes(),
        }  # fmt: skip
