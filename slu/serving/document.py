"""What /openapi.json says of requests and answers, as far as FastAPI does not see it by itself."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}


def _object(required: Mapping[str, Schema], **optional: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": {**required, **optional}}


def _by_name(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_ANSWER = _object(
    {
        "labels": {**_by_name(_TEXT), "description": "the class of each head"},
        "scores": {**_by_name(_by_name(_NUMBER)), "description": "probability of every class, by head"},
        "confidence": {**_NUMBER, "description": "probability that all labels are right"},
        "understood": {"type": "boolean", "description": "false: nobody should act on the labels"},
        "reason": {**_TEXT, "description": "why it was not understood; empty where it was"},
        "duration_s": _NUMBER,
        "model_version": _TEXT,
        "display": {**_by_name(_TEXT), "description": "what people are shown for a label"},
        "alternatives": _list(_object({"labels": _by_name(_TEXT), "probability": _NUMBER, "shown": _TEXT})),
        "request_id": {**_TEXT, "description": "by which POST /feedback corrects it"},
        "timings_ms": _by_name(_NUMBER),
    }
)
_ANSWERS = _object({"results": _list({"anyOf": [_ANSWER, _object({"error": _TEXT})]}), "request_id": _TEXT})
_PROBLEM = _object({"detail": {**_TEXT, "description": "what is wrong, in a sentence"}}, request_id=_TEXT)

_REASONS = {
    400: "the body cannot be read", 401: "an API key is needed, in the header X-API-Key", 404: "there is no such thing",
    408: "the upload took too long", 413: "the upload is too large", 415: "the body is no audio",
    422: "what was sent cannot be used", 429: "too many requests of this client; Retry-After says when to try again",
    500: "the recogniser failed on this audio",
    503: "too busy, or not ready; after the seconds in Retry-After it may be", 504: "no answer in time",
}  # fmt: skip


def _json(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problems(*statuses: int) -> dict[int | str, Schema]:
    return {status: _json(_REASONS[status], _PROBLEM) for status in statuses}


def _plain(description: str) -> Schema:
    return {"description": description, "content": {"text/plain": {"schema": _TEXT}}}


PREDICT: Schema = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": _TEXT, "description": text}
        for name, text in (("model", "a version that GET /models lists"), ("task", "or a task: its recogniser answers"))
    ],
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": _object(
                    {"file": {**_list({"type": "string", "format": "binary"}), "description": "audio", "minItems": 1}},
                    model={**_TEXT, "description": "as in the query"},
                    task={**_TEXT, "description": "as in the query"},
                )
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    "responses": {
        "200": _json("one answer, or as many as there were files", {"anyOf": [_ANSWER, _ANSWERS]}),
        **{str(code): text for code, text in _problems(400, 401, 404, 408, 413, 415, 422, 429, 500, 503, 504).items()},
    },
}
HEALTH: dict[int | str, Schema] = {200: _plain("the recognisers are loaded"), 503: _plain("not yet, or not now")}
MODELS: dict[int | str, Schema] = {
    200: _json(
        "one for each that answers, and for each that was refused",
        _list(_object({"version": _TEXT}, task=_TEXT, heads=_by_name(_list(_TEXT)), refused=_TEXT, missing=_TEXT)),
    ),
    **_problems(401),
}
METRICS: dict[int | str, Schema] = {200: _plain("counters and times"), **_problems(401)}
FEEDBACK: dict[int | str, Schema] = {
    200: _json("it is stored", _object({"stored": _TEXT})),
    **_problems(400, 401, 404, 408, 413, 422, 429, 503, 504),
}
