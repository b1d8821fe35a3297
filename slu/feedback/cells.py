"""Texts in the cells of a CSV that a spreadsheet opens: a text that it would take for a formula is made a text.

https://owasp.org/www-community/attacks/CSV_Injection
"""

import re

_FORMULA = re.compile(r"^'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""Also in full width, which some spreadsheets read alike, and what was made a text before, so that `raw` is exact."""


def safe(text: str) -> str:
    """An apostrophe before what would begin a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def raw(cell: str) -> str:
    """What `safe` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
