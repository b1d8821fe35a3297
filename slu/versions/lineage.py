"""What a version says of itself: where it comes from, and how good it was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import yaml

from slu.common.errors import UserError
from slu.common.files import read_json
from slu.common.wording import figure
from slu.inference.files import CONFIG, METRICS
from slu.versions.content import is_version, size


@dataclass(frozen=True)
class Lineage:
    folder: Path
    metrics: Mapping[str, Any]
    config: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path) -> "Lineage":
        """Raises UserError naming what cannot be read."""
        try:
            metrics, config = read_json(folder / METRICS), yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            raise UserError(f"{METRICS} or {CONFIG} cannot be read") from None
        if not isinstance(metrics, dict) or not isinstance(config, dict):
            raise UserError(f"{METRICS} or {CONFIG} is not a mapping")
        return cls(folder, metrics, config)

    @property
    def objective(self) -> str:
        return figure(self.metrics.get("objective"))

    @property
    def clean(self) -> str:
        """All labels right, of clean test clips."""
        return figure((self._tests().get("clean") or {}).get("joint_accuracy"))

    @property
    def parent(self) -> str:
        return str(self.metrics.get("parent") or (self.metrics.get("adaptation") or {}).get("parent") or "")

    @property
    def code(self) -> str:
        """As `0.1.0 90644da+`: the plus says that files differed from the commit."""
        code: Mapping[str, Any] = self.metrics.get("code") or {}
        commit = f" {code['commit'][:10]}{'+' if code.get('changed') else ''}" if code.get("commit") else ""
        return f"{code['version']}{commit}" if code.get("version") else ""

    @property
    def registered(self) -> str:
        name = self.folder.name
        return (
            f"{name[:4]}-{name[4:6]}-{name[6:8]} {name[9:11]}:{name[11:13]}:{name[13:15]} UTC"
            if is_version(name)
            else ""
        )

    def facts(self) -> list[tuple[str, str]]:
        """For people; what is not known is left out."""
        metrics, unknown = self.metrics, ("", "-")
        rows = [
            ("registered", self.registered),
            ("made from", self.parent),
            ("data", " ".join(str(metrics[key]) for key in ("data", "manifest") if metrics.get(key))),
            ("split", str(metrics.get("split") or "")),
            ("code", self.code),
            ("model", str((self.config.get("model") or {}).get("_target_", ""))),
            ("config", str(self.folder / CONFIG)),
            ("run", str(metrics.get("run") or "")),
            ("objective", self.objective),
            ("validation", _figures(metrics.get("validation") or {})),
            ("test clean", self.clean),
            ("test in noise", self._noisy()),
            ("parameters", f"{metrics['parameters']:,}" if metrics.get("parameters") else ""),
            ("size", f"{size(self.folder) / 1e6:.1f} MB"),
        ]
        return [(name, value) for name, value in rows if value not in unknown]

    def _tests(self) -> Mapping[str, Any]:
        return self.metrics.get("test") or {}

    def _noisy(self) -> str:
        values = [v.get("joint_accuracy") for name, v in self._tests().items() if name.endswith(" dB")]
        known = [value for value in values if value is not None]
        return f"{mean(known):.3f} (mean of {len(known)} conditions)" if known else ""


def _figures(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {figure(value)}" for name, value in values.items() if isinstance(value, (int, float)))
