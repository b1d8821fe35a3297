"""What an evaluation is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from slu.common.errors import UserError
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

    def refuse_combined(self) -> None:
        """Raises UserError for settings that ask for nothing, or for two things at once."""
        if not self.bundles:
            raise UserError("bundle=[] names none; name at least one")
        if self.manifest is not None and not self.manifests:
            raise UserError("manifest=[] names none; name at least one, or leave manifest= out")
        if len(self.manifests) > 1 and self.others:
            raise UserError("off_menu is compared with the clips of one manifest; name one in manifest=")
        if len(self.manifests) > 1 and (self.champion is not None or self.fail_if_worse):
            raise UserError("champion and fail_if_worse compare on the clips of one table; name one in manifest=")

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
