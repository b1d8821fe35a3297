"""How the server behaves, checked before it starts."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

Positive = Annotated[float, Field(gt=0)]
SHORTEST_PASSWORD = 8


@dataclass(frozen=True)
class ServeSettings:
    """`conf/serve.yaml`."""

    bundle: str | tuple[str, ...] | None
    """Folders of bundles or of tasks; none: what is live of every task in the registry, the latest where nothing is."""
    task: str | None
    """The one that answers where a request names none; none: the first."""
    outputs: str
    host: Literal["127.0.0.1", "0.0.0.0", "::"] = "127.0.0.1"
    port: Annotated[int, Field(ge=1024, le=65535)] = 8000
    runtime: Literal["onnx", "torch"] = "onnx"
    threads: Annotated[int, Field(ge=1)] | None = None
    """Clips that onnxruntime computes side by side, or threads of torch; none: as many as there are cores, one of
    torch."""
    max_batch: Annotated[int, Field(ge=1, le=64)] = 4
    """Requests that a worker takes at a time."""
    batch_wait_s: Annotated[float, Field(ge=0, le=1)] = 0.0
    """For further requests of a batch; at 0 those that are there are taken together."""
    deadline_s: Positive = 10.0
    """From the last byte of a request to its answer; 504 after it."""
    upload_s: Positive = 20.0
    """For all bytes of a request; 408 after it."""
    max_in_flight: Annotated[int, Field(ge=1)] = 32
    """Requests being answered at a time; what comes beyond is sent away with 503."""
    rate_limit_per_minute: Annotated[int, Field(ge=1)] | None = None
    """POST requests of one address, at once or spread; what comes beyond gets 429."""
    trust_proxy: bool = False
    """A proxy says in X-Forwarded-For who asks; without one, a client could say there what it likes."""
    max_upload_mb: Positive = 10.0
    max_duration_s: Positive = 30.0
    max_files: Annotated[int, Field(ge=1)] = 16
    ui: Literal["page", "gradio"] = "page"
    """The page at /; with `gradio`, one made with Gradio at /gradio beside it."""
    api_key: str | None = None
    """Asked for in the header X-API-Key of everything but the page and /health."""
    admin_password: str | None = None
    """Opens /admin; none, or empty: there is no such page."""
    admin_retrain: tuple[str, ...] = ()
    """Further settings of slu.retrain, for the button on /admin."""
    cors: tuple[str, ...] = ()
    """Origins of other sites whose pages may use the server."""
    feedback: str | None = None
    """URL of the database of corrections; none: SQLite in the outputs. `none` in words: no corrections are taken."""
    feedback_per_hour: Annotated[int, Field(ge=1)] = 60
    """Corrections of one address; where more come within an hour, all of that hour are flagged for review."""
    keep_audio: bool = False
    """With a correction, what it corrects is kept as a file in the outputs."""
    keep_audio_days: Positive = 30.0
    """Then the file is removed, also while `keep_audio` is off."""
    log: str = "-"
    """File of JSON lines, one per request; `-` is standard output."""

    def __post_init__(self) -> None:
        if self.admin_password and len(self.admin_password) < SHORTEST_PASSWORD:
            raise ValueError(f"admin_password is shorter than {SHORTEST_PASSWORD} characters; take a longer one")

    @property
    def bundles(self) -> tuple[str, ...]:
        return () if self.bundle is None else (self.bundle,) if isinstance(self.bundle, str) else self.bundle

    @property
    def max_upload_bytes(self) -> int:
        return int(self.max_upload_mb * 1_000_000)
