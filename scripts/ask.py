"""Ask a running server what is said in audio files: python scripts/ask.py order.wav [more.wav] [url=…]"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path


def ask(url: str, audio: bytes, key: str = "") -> dict:
    """The answer; of what was refused, `detail` says why."""
    headers = {"Content-Type": "application/octet-stream", **({"X-API-Key": key} if key else {})}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/predict", audio, headers), timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return json.load(error)


def main() -> None:
    named = dict(word.split("=", 1) for word in sys.argv[1:] if word.startswith("url="))
    files = [word for word in sys.argv[1:] if not word.startswith("url=")]
    url, key = named.get("url", "http://127.0.0.1:8000"), os.environ.get("SLU_API_KEY", "")
    if not files:
        sys.exit(__doc__)
    for file in files:
        try:
            answer = ask(url, Path(file).read_bytes(), key)
        except urllib.error.URLError as error:
            sys.exit(f"error: no server answers at {url} ({error.reason}); start one with python -m slu.serve")
        except OSError as error:
            sys.exit(f"error: {file}: {error.strerror}")
        if "detail" in answer:
            print(f"{file}: refused: {answer['detail']}")
        elif not answer["understood"]:
            print(f"{file}: not understood: {answer['reason']}")
        else:
            print(f"{file}: {answer['labels']} (confidence {answer['confidence']:.2f})")


if __name__ == "__main__":
    main()
