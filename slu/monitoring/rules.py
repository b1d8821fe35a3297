"""The same limits as alerting rules for Prometheus, of the metrics that a server exports at /metrics.

Prometheus sees a server's counts and times, and what was answered; how clips sound stands in the log alone.
"""

from pathlib import Path
from typing import Any

import yaml

from slu.common.files import atomic_write
from slu.monitoring.reference import Reference
from slu.monitoring.settings import AlertSettings
from slu.monitoring.sketch import UNDERSTOOD

_WINDOW, _LONG = "10m", "1h"
_LEAST = 20
"""Requests, or answers, in the time that is looked at: fewer raise no alarm."""
_FALL = 0.1
"""By so much the share of answers that were given may stay below the reference's."""


def rules(limits: AlertSettings, reference: Reference | None) -> dict[str, Any]:
    """The document of a rules file."""
    requests, answers = f"sum(increase(slu_requests_total[{_WINDOW}]))", f"sum(increase(slu_answers_total[{_LONG}]))"
    found = [
        _rule("SluDown", "absent(slu_model_info)", "5m", "critical", "no recogniser answers"),
        _rule("SluDropping", f"increase(slu_dropped_total[{_WINDOW}]) > {_LEAST}", "5m", "warning",
              "clients give up before they are answered: the server is too slow for its load"),
        _rule("SluCorrectionsLost", f'increase(slu_corrections_total{{outcome="failed"}}[{_LONG}]) > 0', "0m",
              "warning", "corrections could not be stored; the log of the server names the database and the reason"),
    ]  # fmt: skip
    if limits.failed is not None:
        failed = f'sum(increase(slu_requests_total{{status=~"5.."}}[{_WINDOW}]))'
        text = f"more than {limits.failed:.1%} of the requests fail"
        found.append(_rule("SluFailing", _share(failed, requests, ">", limits.failed), "5m", "critical", text))
    if limits.unusable is not None:
        unusable = f'sum(increase(slu_requests_total{{status="422"}}[{_WINDOW}]))'
        text = f"more than {limits.unusable:.1%} of the requests hold no audio that can be used"
        found.append(
            _rule("SluUnusableAudio", _share(unusable, requests, ">", limits.unusable), "10m", "warning", text)
        )
    if limits.latency_ms is not None:
        slow = (
            f"histogram_quantile({limits.latency_share:g}, sum by (le) (rate(slu_request_seconds_bucket[{_WINDOW}])))"
        )
        text = f"{1 - limits.latency_share:.0%} of the requests take longer than {limits.latency_ms:g} ms"
        enough = f"{slow} > {limits.latency_ms / 1e3:g} and {requests} > {_LEAST}"
        found.append(_rule("SluSlow", enough, "5m", "warning", text))
    least = _least_understood(limits, reference)
    if least is not None:
        given = f'sum(increase(slu_answers_total{{reason="{UNDERSTOOD}"}}[{_LONG}]))'
        text = f"fewer than {least:.0%} of the clips are understood; see python -m slu.monitor"
        found.append(_rule("SluNotUnderstood", _share(given, answers, "<", least), "30m", "warning", text))
    return {"groups": [{"name": "slu", "rules": found}]}


def write_rules(path: Path, limits: AlertSettings, reference: Reference | None) -> None:
    with atomic_write(path) as file:
        file.write("# Written by python -m slu.monitor rules=...; named in rule_files of prometheus.yml\n")
        yaml.safe_dump(rules(limits, reference), file, sort_keys=False, allow_unicode=True, width=1000)


def _least_understood(limits: AlertSettings, reference: Reference | None) -> float | None:
    if limits.understood is not None:
        return limits.understood
    if reference is None or not reference.sketch.clips:
        return None
    least = reference.sketch.reasons[UNDERSTOOD] / reference.sketch.clips - _FALL
    return round(least, 3) if least > 0 else None


def _share(part: str, whole: str, sign: str, limit: float) -> str:
    return f"{part} / {whole} {sign} {limit:g} and {whole} > {_LEAST}"


def _rule(name: str, expression: str, duration: str, severity: str, text: str) -> dict[str, Any]:
    labels, notes = {"severity": severity}, {"summary": text}
    return {"alert": name, "expr": expression, "for": duration, "labels": labels, "annotations": notes}
