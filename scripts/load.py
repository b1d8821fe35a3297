"""Send one file again and again: python scripts/load.py order.wav [connections=16] [seconds=10] [url=http://127.0.0.1:8000]

Prints how many requests were answered and how long they took; each connection waits for its answer before it asks on.
"""

import collections
import http.client
import statistics
import sys
import threading
import time
import urllib.parse
from pathlib import Path


def main() -> None:
    options = {"connections": "16", "seconds": "10", "url": "http://127.0.0.1:8000"}
    options |= dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    files = [word for word in sys.argv[1:] if "=" not in word]
    if len(files) != 1:
        sys.exit(__doc__)
    audio, address = Path(files[0]).read_bytes(), urllib.parse.urlsplit(options["url"]).netloc
    end = time.monotonic() + float(options["seconds"])
    counts: collections.Counter[str] = collections.Counter()
    took: list[float] = []

    def one_connection() -> None:
        connection = http.client.HTTPConnection(address, timeout=30)
        while time.monotonic() < end:
            start = time.monotonic()
            try:
                connection.request("POST", "/predict", audio, {"Content-Type": "application/octet-stream"})
                response = connection.getresponse()
                response.read()
            except OSError as error:
                counts[type(error).__name__] += 1
                connection.close()
                continue
            counts[str(response.status)] += 1
            if response.status == 200:
                took.append(1e3 * (time.monotonic() - start))

    threads = [threading.Thread(target=one_connection) for _ in range(int(options["connections"]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(", ".join(f"{count} x {kind}" for kind, count in sorted(counts.items())))
    if took:
        took.sort()
        rate = len(took) / float(options["seconds"])
        slowest = took[int(0.99 * len(took))]
        print(f"{rate:.1f} answers/s; median {statistics.median(took):.0f} ms, 99 % within {slowest:.0f} ms")


if __name__ == "__main__":
    main()
