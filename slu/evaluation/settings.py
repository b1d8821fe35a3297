"""What an evaluation is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from slu.evaluation.conditions import ConditionSettings
from slu.evaluation.labels import OnUnknownLabel


@dataclass(frozen=True)
class EvaluateSettings:
    bundle: str | tuple[str, ...]
    manifest: str | tuple[str, ...] | None
    split: str | None
    split_column: str
    conditions: ConditionSettings
    on_unknown_label: OnUnknownLabel
    force: bool
    threads: Annotated[int, Field(ge=1)]
    outputs: str
    reference: Mapping[str, Any] | None = None
    """None: the one that the bundle was trained beside."""
    off_menu: str | tuple[str, ...] = ()
    """Folders or tables of recordings that should not be answered."""

    champion: str | None = None
    """Bundle or alias that `bundle` is compared with, on the clips of `bundle`; it need not be there yet."""
    fail_if_worse: bool = False

    @property
    def bundles(self) -> tuple[str, ...]:
        return (self.bundle,) if isinstance(self.bundle, str) else self.bundle

    @property
    def manifests(self) -> tuple[str, ...]:
        """None at all: the one that the bundle was trained beside."""
        if self.manifest is None:
            return ()
        return (self.manifest,) if isinstance(self.manifest, str) else self.manifest

    @property
    def others(self) -> tuple[Path, ...]:
        """Those of `off_menu`."""
        return tuple(map(Path, (self.off_menu,) if isinstance(self.off_menu, str) else self.off_menu))
