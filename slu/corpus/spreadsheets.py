"""What spreadsheets and Windows make of a table, read as it is meant."""

from collections.abc import Sequence
from pathlib import PurePosixPath

_ALWAYS = ("file_name", "speaker")


def separator(header: str) -> str:
    """Of the fields, by the table's first line: `;` is what spreadsheets write where a comma is the decimal sign."""
    return ";" if header.count(";") > header.count(",") else ","


def meant_header(header: Sequence[str], heads: Sequence[str] = ()) -> list[str]:
    """The headings in our spelling where they differ by case or spaces alone, and only one can be meant.

    FILE_NAME without a file_name beside it: everything is in another case, the labels' headings, too.
    """
    plain = [heading.strip().casefold() for heading in header]
    filled = [heading for heading in plain if heading]
    in_other_case = "file_name" not in header and "file_name" in plain and len(set(filled)) == len(filled)
    names = list(plain if in_other_case else header)
    wanted = (*_ALWAYS, *heads)
    for name in wanted:
        places = [i for i, heading in enumerate(plain) if heading == name.casefold() and names[i] not in wanted]
        if name not in names and len(places) == 1:
            names[places[0]] = name
    return names


def no_columns(names: Sequence[str]) -> str:
    """`no column 'speaker'`, `no columns 'product', 'speaker'`."""
    return f"no column{'s' if len(names) > 1 else ''} " + ", ".join(f"'{name}'" for name in names)


def with_slashes(file_name: str) -> str:
    """In one spelling of each file: Windows' separators are read, too, and `audio/./a.wav` is `audio/a.wav`; no name of
    ours holds a backslash of its own."""
    return str(PurePosixPath(file_name.replace("\\", "/"))) if file_name else file_name


def twice(header: Sequence[str]) -> str | None:
    """A heading that stands there more than once, of which the second would be read as another column."""
    return next((name for name in header if name.strip() and header.count(name) > 1), None)
