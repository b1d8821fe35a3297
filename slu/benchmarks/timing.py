"""CPU time of alternatives, in interleaved rounds."""

import time
from collections.abc import Callable, Mapping

import numpy as np


def cpu_ms(alternatives: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median CPU milliseconds per call. Every round calls each alternative once, so that a busy moment of the
    machine hits all of them; a first round only warms up."""
    spent: dict[str, list[float]] = {name: [] for name in alternatives}
    for round_ in range(rounds + 1):
        for name, call in alternatives.items():
            start = time.process_time()
            call()
            if round_:
                spent[name].append(time.process_time() - start)
    return {name: 1e3 * float(np.median(times)) for name, times in spent.items()}
