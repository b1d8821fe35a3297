"""What the server counts, for Prometheus: requests, errors by kind, times, confidences, classes, versions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from slu.serving.models import Board
from slu.serving.seats import Seats

CONTENT_TYPE = CONTENT_TYPE_LATEST
STORED, FAILED = "stored", "failed"
_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_SHARES = tuple(share / 10 for share in range(1, 11))


class ServingMetrics:
    """Of one process that speaks HTTP."""

    def __init__(self, board: Board, seats: Seats) -> None:
        self.board, self.seats, self.registry = board, seats, CollectorRegistry()

        def named(kind: Any, name: str, text: str, labels: Sequence[str] = (), **options: Any) -> Any:
            return kind(f"slu_{name}", text, labels, registry=self.registry, **options)

        self.requests = named(Counter, "requests_total", "Requests to /predict by status", ["status"])
        self.seconds = named(Histogram, "request_seconds", "From the first byte to the answer", buckets=_SECONDS)
        self.stages = named(Histogram, "stage_seconds", "Of one clip by stage", ["stage"], buckets=_SECONDS)
        self.confidence = named(Histogram, "confidence", "Of the answers", ["version"], buckets=_SHARES)
        self.answers = named(Counter, "answers_total", "Clips by how they were answered", ["version", "reason"])
        self.classes = named(Counter, "classes_total", "Classes of the answers given", ["version", "head", "label"])
        self.corrections = named(Counter, "corrections_total", "Corrections by whether they were stored", ["outcome"])
        for outcome in (STORED, FAILED):
            self.corrections.labels(outcome)  # there from the beginning: an increase is seen from 0 on
        self.live = named(Gauge, "model_info", "The recognisers that answer", ["version"])
        named(Gauge, "in_flight", "Requests that are being answered").set_function(lambda: seats.taken)
        self.registry.register(_Dropped(seats))

    def add(self, status: int, document: Mapping[str, Any], seconds: float) -> None:
        """An answer of /predict, of whatever status."""
        self.requests.labels(str(status)).inc()
        self.seconds.observe(seconds)
        for one in document.get("results", [document]):
            if "labels" in one:
                self._answer(one)

    def _answer(self, one: Mapping[str, Any]) -> None:
        version = one["model_version"]
        self.confidence.labels(version).observe(one["confidence"])
        self.answers.labels(version, one["reason"] or "understood").inc()
        for stage in ("decode", "recognise"):
            self.stages.labels(stage).observe(one["timings_ms"][stage] / 1e3)
        if one["understood"]:
            for head, label in one["labels"].items():
                self.classes.labels(version, head, label).inc()

    def figures(self) -> dict[str, Any]:
        """For people: since the process that speaks HTTP began."""
        found = {one.labels["status"]: int(one.value) for one in _samples(self.requests, "_total")}
        (count,), (total,) = (_samples(self.seconds, end) for end in ("_count", "_sum"))
        mean = round(1e3 * total.value / count.value, 1) if count.value else None
        busy = {"in_flight": self.seats.taken, "dropped": self.seats.dropped}
        return {"by_status": found, "mean_ms": mean, **busy}

    def text(self) -> bytes:
        self.live.clear()
        for version in self.board.read().versions.values():
            self.live.labels(version).set(1)
        return generate_latest(self.registry)


def _samples(metric: Counter | Histogram, end: str) -> list[Sample]:
    return [one for family in metric.collect() for one in family.samples if one.name.endswith(end)]


class _Dropped(Collector):
    """Counted by the worker, in memory that it shares."""

    def __init__(self, seats: Seats) -> None:
        self.seats = seats

    def collect(self) -> Iterator[Metric]:
        text = "Requests that nobody waited for any more when their turn came"
        yield CounterMetricFamily("slu_dropped_total", text, self.seats.dropped)
