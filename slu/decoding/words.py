"""The words of a sentence, as graphs and lexicons name them."""

import unicodedata


def words_of(text: str) -> tuple[str, ...]:
    """What stands between spaces, in lower case and without punctuation around it: "I'd like Tea, please." has
    i'd, like, tea and please."""
    return tuple(word.lower() for word in bare_words(text))


def bare_words(text: str) -> tuple[str, ...]:
    """The same in the case that they are written in."""
    return tuple(word for token in text.split() if (word := _bare(token)))


def _bare(token: str) -> str:
    kept = [i for i, character in enumerate(token) if unicodedata.category(character)[0] not in "PS"]
    return token[kept[0] : kept[-1] + 1] if kept else ""
