"""The command's words and settings: `accept 3 7`, `list flag=conflict`, `erase client=0123456789abcdef`."""

import argparse
import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from sqlalchemy import Text, cast
from sqlalchemy.sql.elements import ColumnElement

from slu.common.errors import UserError
from slu.common.settings import parse_settings
from slu.feedback.entries import REQUEST_ID
from slu.feedback.schema import FEEDBACK

VERBS = ("list", "review", "accept", "reject", "check", "export", "import", "erase")
_TABLE = FEEDBACK.c
_EPILOG = """\
what to do:
  list                 one line per correction; first those where the model was surest of something else
  review               listen to one after the other: a accepts, r rejects, Enter leaves it, q ends
  accept IDS | all     may be learned from; all: what is new, matches, and is not flagged (with flag=NAME: what is)
  reject IDS | all     may not
  check                measure recordings that are new, and renew the flags; review and `all` do it, too
  export FILE          a CSV of what matches
  import FILE          corrections of a CSV, all lines or none, as new; states=keep: with their states, as exported
  erase                recordings, and all that leads to them, of audio=SHA256, request=ID, client=HASH or before=DATE

settings:
  state= flag= client= task= version= request= audio= before= after=    which corrections (flag=none: without any)
  outputs=outputs  feedback=URL (that of slu.serve)  most=50 lines  states=new|keep

examples:
  python -m slu.feedback list state=new flag=none
  python -m slu.feedback accept 12 13
  python -m slu.feedback erase request=0123456789abcdef0123456789abcdef
"""


def _time(text: str) -> datetime.datetime:
    try:
        time = datetime.datetime.fromisoformat(text)
        return time.replace(tzinfo=datetime.UTC) if time.tzinfo is None else time.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"'{text[:50]}' is no date; write it as 2026-01-31") from None


Time = Annotated[datetime.datetime, BeforeValidator(_time)]


@dataclass(frozen=True)
class FeedbackSettings:
    outputs: str = "outputs"
    feedback: Annotated[str, Field(min_length=1)] | None = field(
        default_factory=lambda: os.environ.get("SLU_FEEDBACK") or None
    )
    """URL of the database; none: SQLite in the outputs."""
    most: Annotated[int, Field(ge=1)] = 50
    states: Literal["new", "keep"] = "new"
    state: Literal["new", "accepted", "rejected", "used", "erased"] | None = None
    flag: Literal["conflict", "duplicate", "flood", "silence", "noise", "none"] | None = None
    client: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    task: str | None = None
    version: str | None = None
    request: Annotated[str, Field(pattern=REQUEST_ID)] | None = None
    audio: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    before: Time | None = None
    """Of arrival; UTC where it names no zone."""
    after: Time | None = None

    @property
    def selects(self) -> bool:
        """Something of what `erase` goes by."""
        return any((self.audio, self.request, self.client, self.before))

    def condition(self) -> ColumnElement[bool]:
        """Of rows that all filters let through."""
        wanted = {"state": self.state, "client": self.client, "task": self.task, "model_version": self.version}
        wanted |= {"audio_sha256": self.audio}
        condition: ColumnElement[bool] = _TABLE.id.is_not(None)
        for name, value in wanted.items():
            if value is not None:
                condition &= _TABLE[name] == value
        if self.request is not None:  # of several files, each has its number behind that of the request
            condition &= (_TABLE.request_id == self.request) | _TABLE.request_id.startswith(f"{self.request}.")
        if self.flag is not None:  # stored as JSON, which the two databases search differently; as text they do not
            flags = cast(_TABLE.flags, Text)
            condition &= flags == "[]" if self.flag == "none" else flags.contains(f'"{self.flag}"')
        if self.before is not None:
            condition &= _TABLE.received < self.before
        return condition if self.after is None else condition & (_TABLE.received >= self.after)


@dataclass(frozen=True)
class Arguments:
    verb: str
    words: tuple[str, ...]
    settings: FeedbackSettings

    @property
    def file(self) -> Path:
        if len(self.words) != 1:
            raise UserError(f"{self.verb}: name one CSV file, as in `python -m slu.feedback {self.verb} feedback.csv`")
        return Path(self.words[0])

    @property
    def ids(self) -> list[int] | None:
        """None for `all`."""
        if self.words == ("all",):
            return None
        if not self.words or not all(word.isascii() and word.isdigit() and len(word) < 10 for word in self.words):
            raise UserError(f"{self.verb}: name corrections by the numbers that `list` shows, or say `all`")
        return [int(word) for word in self.words]


def parse_arguments(doc: str | None, arguments: Sequence[str] | None = None) -> Arguments:
    """Raises UserError for what is not understood."""
    parser = argparse.ArgumentParser(
        prog="python -m slu.feedback",
        description=doc,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="what to do, and with what; settings as key=value")
    words = parser.parse_args(arguments).words
    settings = dict(word.split("=", 1) for word in words if "=" in word and word.split("=", 1)[0].isidentifier())
    words = [word for word in words if word.split("=", 1)[0] not in settings or "=" not in word]
    if not words or words[0] not in VERBS:
        given = f"'{words[0][:50]}' is not one of" if words else "say what to do:"
        raise UserError(f"{given} {', '.join(VERBS)}; --help explains them")
    if words[0] in ("list", "check", "review", "erase") and len(words) > 1:
        raise UserError(f"{words[0]} takes settings only, as in client=…, and not '{words[1][:50]}'")
    return Arguments(words[0], tuple(words[1:]), parse_settings(FeedbackSettings, settings, "settings"))
