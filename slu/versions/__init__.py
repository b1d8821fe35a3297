"""The versions of a registry, the aliases that point to them, and their history: files alone, without torch."""

from slu.versions.aliases import ALIASES, LATEST, LIVE, PREVIOUS, resolved
from slu.versions.moves import Entry
from slu.versions.versions import Versions

__all__ = ["ALIASES", "LATEST", "LIVE", "PREVIOUS", "Entry", "Versions", "resolved"]
