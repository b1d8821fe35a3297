"""What counts as wrong, as `conf/monitor.yaml` says it."""

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from slu.monitoring.windows import Length

Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class DriftSettings:
    alpha: Share = 0.01
    """Share of windows that may be called drifted although nothing has changed: of all facts of a window together."""
    psi: Positive = 0.2
    ks: Share = 0.2
    """What is surely different also has to differ by so much, in the one or the other."""
    min_clips: Annotated[int, Field(ge=10)] = 30
    """Windows with fewer say nothing."""
    clips_per_speaker: Annotated[float, Field(ge=1)] = 10.0
    """Of a window: clips of one speaker resemble each other, and count for less."""
    ignore: tuple[str, ...] = ()
    """Facts or heads that are not compared."""


@dataclass(frozen=True)
class AlertSettings:
    """Shares are exceeded when the lower end of their 95 % interval is: one failure in three requests is no alarm."""

    failed: Share | None = 0.01
    """Requests that ended with a status of 5xx."""
    unusable: Share | None = 0.1
    """Files that hold no audio that can be decoded."""
    broken: Share | None = 0.01
    """Lines that are none of a server."""
    latency_ms: Positive | None = 1000.0
    latency_share: Share = 0.95
    """Of the requests that have to be faster than that."""
    understood: Share | None = None
    """Of the answers, at least."""
    accuracy: Share | None = None
    """Of reviewed corrections, all labels right, at least."""
    drift: bool = True


@dataclass(frozen=True)
class MonitorSettings:
    log: str | tuple[str, ...]
    outputs: str
    bundle: str | None = None
    reference_file: str | None = None
    reference_days: Annotated[int, Field(ge=1)] | None = None
    feedback: str | None = None
    window: Length = "day"
    recent: Annotated[int, Field(ge=1)] = 1
    """Windows that raise alerts, the newest ones with enough clips; earlier ones are reported."""
    rules: str | None = None
    drift: DriftSettings = field(default_factory=DriftSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)

    @property
    def logs(self) -> tuple[str, ...]:
        return (self.log,) if isinstance(self.log, str) else self.log
