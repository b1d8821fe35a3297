"""The last answers of this server, each with what is stored of it when a correction comes; and what is said when it
cannot be stored."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from slu.feedback import Answered

_LOG = logging.getLogger(__name__)
_AGAIN_S = 60.0
"""A reason is logged once in this time."""
_REMEMBERED = 1000
"""Answers that can still be corrected."""


class Remembered:
    """The last answers of this process by request id."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Answered] = OrderedDict()

    def add(self, document: Mapping[str, Any]) -> None:
        """`document` is an answer of /predict, with the facts of its sound; anything else is passed over."""
        if "labels" in document and "request_id" in document:
            labels, scores = document["labels"], document.get("scores", {})
            self._answers[document["request_id"]] = Answered(
                labels,
                document["confidence"],
                document["model_version"],
                confidences={
                    name: scores[name][label] for name, label in labels.items() if label in scores.get(name, ())
                },
                reason=document.get("reason", ""),
                duration_s=document.get("duration_s"),
                level_db=document.get("level_db"),
            )
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)

    def get(self, request_id: str) -> Answered | None:
        return self._answers.get(request_id)


class Losses:
    """Tells the owner, whom the 503 of a sender does not reach, that corrections are not stored in `database`."""

    def __init__(self, database: str, again_s: float = _AGAIN_S) -> None:
        self.database, self.again_s = database, again_s
        self._told: dict[str, float] = {}
        self._unsaid = 0
        self._lock = threading.Lock()

    def tell(self, reason: str) -> None:
        now = time.monotonic()
        with self._lock:
            self._told = {known: when for known, when in self._told.items() if now - when < self.again_s}
            if reason in self._told:
                self._unsaid += 1
                return
            self._told[reason] = now
            others, self._unsaid = self._unsaid, 0
        more = f" ({others} more since the last such line)" if others else ""
        _LOG.error("a correction could not be stored in %s: %s%s", self.database, reason, more)
