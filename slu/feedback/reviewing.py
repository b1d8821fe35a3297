"""One correction after the other, for somebody who listens and decides."""

from collections.abc import Callable, Sequence
from pathlib import Path

from slu.common.errors import UserError
from slu.common.files import from_here
from slu.feedback.entries import Row
from slu.feedback.showing import change, plain, sound
from slu.feedback.store import FeedbackStore


def review(store: FeedbackStore, rows: Sequence[Row], say: Callable[[str], None], ask: Callable[[str], str]) -> None:
    """Each decision is stored before the next one is asked for. `ask` shows a text and gives an answer, or raises
    EOFError where there is nobody."""
    decided = {"accepted": 0, "rejected": 0}
    for place, row in enumerate(rows, start=1):
        say(described(row, store.outputs, f"{place} of {len(rows)}"))
        answer = _answer(ask)
        if answer == "q":
            break
        if answer:
            try:
                (store.accept if answer == "a" else store.reject)([row.id])
            except UserError as error:
                say(f"  not stored: {error}")
                continue
            decided["accepted" if answer == "a" else "rejected"] += 1
    say(f"{decided['accepted']} accepted, {decided['rejected']} rejected, {len(rows) - sum(decided.values())} left")


def described(row: Row, outputs: Path, place: str) -> str:
    lines = [f"{place}: correction {row.id} of {row.received:%Y-%m-%d %H:%M}", f"  {change(row)}"]
    lines.append(f"  the model was sure of what was corrected by {row.disagreement:.2f} ({row.model_version})")
    known = sound(row, outputs)
    if row.audio_path and known != "gone":
        length = f", {row.duration_s:.1f} s" if row.duration_s is not None else ""
        lines.append(f"  listen: {from_here(outputs / row.audio_path)} ({known}{length})")
    else:
        lines.append(f"  recording: {known}; nothing can be learned without one")
    lines += [f"  flags: {', '.join(row.flags)}"] if row.flags else []
    return plain_lines([*lines, *([f"  comment: {row.comment}"] if row.comment else [])])


def plain_lines(lines: Sequence[str]) -> str:
    return "\n".join(plain(line) for line in lines)


def _answer(ask: Callable[[str], str]) -> str:
    while True:
        try:
            answer = ask("  [a]ccept, [r]eject, Enter: later, [q]uit? ").strip().lower()[:1]
        except EOFError:
            return "q"
        if answer in ("", "a", "r", "q"):
            return answer
