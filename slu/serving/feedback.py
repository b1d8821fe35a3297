"""The last answers of this server, each with what is stored of it when a correction comes."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from slu.feedback import Answered

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
