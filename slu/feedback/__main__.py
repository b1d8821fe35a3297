"""Corrections of answers: look through them, accept or reject them, export, import, erase."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from slu.common.cli import reports_errors
from slu.common.errors import UserError
from slu.common.files import read_json
from slu.feedback.arguments import Arguments, FeedbackSettings, parse_arguments
from slu.feedback.database import reason_of
from slu.feedback.schema import ERASED, FEEDBACK, NEW, USED
from slu.feedback.store import FeedbackStore, default_url
from slu.inference.files import SPEC
from slu.spec import TaskSpec

_TABLE = FEEDBACK.c


@reports_errors
def main() -> None:
    arguments = parse_arguments(__doc__)
    settings = arguments.settings
    database = Path(settings.outputs) / "feedback.sqlite"
    if settings.feedback is None and arguments.verb != "import" and not database.exists():
        raise UserError(
            f"there are no corrections at {database}; a server stores them, or name a database: feedback=URL"
        )
    url = settings.feedback or default_url(Path(settings.outputs))
    store = FeedbackStore(url, Path(settings.outputs), create=arguments.verb == "import")
    try:
        COMMANDS[arguments.verb](store, arguments)
    except SQLAlchemyError as error:
        raise UserError(
            f"feedback: the database {store.name} failed: {reason_of(error)}; nothing was changed"
        ) from None


def list_rows(store: FeedbackStore, arguments: Arguments) -> None:
    from slu.feedback.showing import show_rows

    show_rows(store.queue(arguments.settings.condition()), store.outputs, arguments.settings.most)


def check_rows(store: FeedbackStore, arguments: Arguments) -> None:
    from slu.feedback.checking import check

    measured = check(store)
    flagged = sum(1 for row in store.rows(_TABLE.state == NEW) if row.flags)
    print(f"{measured} recording{'s' * (measured != 1)} measured; {flagged} of the new corrections flagged")


def review_rows(store: FeedbackStore, arguments: Arguments) -> None:
    from slu.feedback.checking import check
    from slu.feedback.reviewing import review

    check(store)
    unseen = _TABLE.state.in_([NEW, USED]) & _TABLE.reviewed_at.is_(None)
    review(store, store.queue(unseen, arguments.settings.condition()), print, input)


def accept_rows(store: FeedbackStore, arguments: Arguments) -> None:
    _decide(store, arguments, store.accept, "accepted", flagged=False)


def reject_rows(store: FeedbackStore, arguments: Arguments) -> None:
    _decide(store, arguments, store.reject, "rejected", flagged=True)


def _decide(
    store: FeedbackStore, arguments: Arguments, decide: Callable[[list[int]], None], done: str, *, flagged: bool
) -> None:
    """`all` is what is undecided; flagged ones are among it where they are meant to be, or asked for by flag=."""
    ids, left_out = arguments.ids, 0
    if ids is None:
        from slu.feedback.checking import check

        check(store)
        state = () if arguments.settings.state else (_TABLE.state == NEW,)
        found = store.rows(arguments.settings.condition(), *state, _TABLE.state != ERASED)
        chosen = [row for row in found if flagged or arguments.settings.flag or not row.flags]
        ids, left_out = [row.id for row in chosen], len(found) - len(chosen)
    if ids:
        decide(ids)
    note = f"; {left_out} flagged left as they are: accept them by number, or with flag=NAME" if left_out else ""
    print(f"{len(set(ids))} {done}{note}")


def export_rows(store: FeedbackStore, arguments: Arguments) -> None:
    from slu.feedback.export import write_csv

    rows = store.rows(arguments.settings.condition())
    write_csv(rows, arguments.file, store.outputs)
    print(f"{_counted(len(rows))} written to {arguments.file}")


def import_rows(store: FeedbackStore, arguments: Arguments) -> None:
    from slu.feedback.importing import import_csv

    settings = arguments.settings
    done = import_csv(store, arguments.file, _heads(settings), keep_states=settings.states == "keep")
    print(f"{_counted(done.added)} imported" + (f", {done.known} were there already" if done.known else ""))


def erase_rows(store: FeedbackStore, arguments: Arguments) -> None:
    from slu.feedback.erasing import erase

    if not arguments.settings.selects:
        raise UserError("erase: say whose recordings: audio=SHA256, request=ID, client=HASH or before=DATE")
    done = erase(store, arguments.settings.condition(), arguments.settings.audio)
    print(f"erased {_counted(len(done.ids))}: {' '.join(map(str, done.ids)) or 'none'}")
    print(f"recordings: {' '.join(done.recordings) or 'none was kept'}")
    print(f"cached features: {done.features}")
    if done.trained:
        print(f"trained on it before: {', '.join(done.trained)}; weights do not forget: train again and remove these")


def _heads(settings: FeedbackSettings) -> Callable[[str], Mapping[str, list[str]]]:
    """From a task to its heads and classes, by its latest bundle."""
    registry = Path(settings.outputs) / "registry"

    @functools.cache
    def heads(task: str) -> Mapping[str, list[str]]:
        name = task or settings.task or _only_task(registry)
        if not name.replace("_", "").replace("-", "").isalnum() or not (registry / name / "latest" / SPEC).is_file():
            raise ValueError(
                f"there is no recogniser of the task '{name[:50]}' in {registry}; correct task, or train one"
            )
        try:
            spec = TaskSpec.from_json(read_json(registry / name / "latest" / SPEC))
        except (OSError, ValueError, KeyError, TypeError):
            raise ValueError(
                f"{registry / name / 'latest' / SPEC} cannot be read; register a recogniser again"
            ) from None
        return {head.name: list(head.classes) for head in spec.heads}

    return heads


def _counted(rows: int) -> str:
    return f"{rows} correction{'s' * (rows != 1)}"


def _only_task(registry: Path) -> str:
    tasks = sorted(path.parent.name for path in registry.glob("*/latest"))
    if len(tasks) != 1:
        known = f"one of {', '.join(tasks)}" if tasks else f"a recogniser in {registry} is needed"
        raise ValueError(f"whose labels these are is not said; name a task with task= ({known})")
    return tasks[0]


COMMANDS: dict[str, Callable[[FeedbackStore, Arguments], None]] = {
    "list": list_rows,
    "check": check_rows,
    "review": review_rows,
    "accept": accept_rows,
    "reject": reject_rows,
    "export": export_rows,
    "import": import_rows,
    "erase": erase_rows,
}


if __name__ == "__main__":
    main()
