"""Who sent a correction, so that one sender can be recognised without being known.

Stored is a keyed hash of the network address. The key is a file of its own, not part of the database: a copy of the
database, or a CSV made from it, cannot be turned back into addresses by trying them all. Servers that share a database
tell the same clients apart only where they share the key.
"""

import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

KEY_FILE = "feedback.key"


def client_hash(outputs: Path) -> Callable[[str], str | None]:
    """From an address to 16 hexadecimal digits; none for no address. Makes the key where there is none yet.

    Raises OSError where that cannot be written.
    """
    key = _key(outputs / KEY_FILE)

    def hashed(address: str) -> str | None:
        return hmac.new(key, address.encode(), hashlib.sha256).hexdigest()[:16] if address else None

    return hashed


def _key(path: Path) -> bytes:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # readable for nobody else
        try:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_hex(32))
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)  # unlike a rename, it leaves the key that another server has just made
        except FileExistsError:
            pass
        finally:
            Path(temporary).unlink()
    return path.read_bytes()
