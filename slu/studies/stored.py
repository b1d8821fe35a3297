"""The results of a study: each stored as soon as it is made, several made at a time, none made twice."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from slu.common.files import read_json, write_json
from slu.studies.processes import run_each


class Planned(Protocol):
    """A fit that is to be made."""

    @property
    def fingerprint(self) -> str:
        """Of all in which it differs from the other fits of its folder."""

    @property
    def file_name(self) -> str:
        """Of its result."""


@dataclass(frozen=True)
class Result:
    """What a fit came to, in JSON's own types."""

    fingerprint: str


R = TypeVar("R", bound=Result)


def run_stored(
    fits: Sequence[Planned],
    run: Callable[..., R],
    recipe: Any,
    folder: Path,
    jobs: int,
    *,
    kind: type[R],
    line: Callable[[R], str],
) -> list[R]:
    """The results in the order of `fits`; those that `folder` has are read, the others made and put there.

    `run` is called with a fit, the recipe and a folder for what it needs only while it runs; `line` tells a result.
    """
    folder.mkdir(parents=True, exist_ok=True)
    results = {number: _stored(folder, fit, kind) for number, fit in enumerate(fits)}
    missing = [number for number, result in results.items() if result is None]
    kept = f", {len(fits) - len(missing)} of them done before" if len(missing) < len(fits) else ""
    print(f"study: {len(fits)} fits in {folder}{kept}", flush=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fits-") as scratch:
        tasks = [(fits[number], recipe, Path(scratch)) for number in missing]
        with closing(run_each(run, tasks, jobs)) as finished:
            for task, result in finished:
                write_json(folder / fits[missing[task]].file_name, asdict(result))
                results[missing[task]] = result
                left = sum(other is None for other in results.values())
                print(f"fit {len(fits) - left} of {len(fits)}: {line(result)}", flush=True)
    return [result for result in results.values() if result is not None]


def _stored(folder: Path, fit: Planned, kind: type[R]) -> R | None:
    try:
        result = TypeAdapter(kind).validate_python(read_json(folder / fit.file_name))
    except (OSError, ValueError, ValidationError):
        return None
    return result if result.fingerprint == fit.fingerprint else None
