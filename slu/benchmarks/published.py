"""What others are published with on the coffee orders: command acceptance, at 24 down to 6 dB.

Figures of the benchmark's owners, over their 619 recordings, in their cafe and kitchen noise; there is none for clean
recordings. They stand in the plotting script of github.com/Picovoice/speech-to-intent-benchmark, src/plot.py as of
commit 008c1b5. Their mean for Rhino, 97.6 %, is the one that picovoice.ai/docs/faq/picovoice states.
"""

from collections.abc import Mapping, Sequence

SOURCE = "github.com/Picovoice/speech-to-intent-benchmark, src/plot.py (008c1b5): 619 recordings, lenient scoring"
SNR_DB = (6, 9, 12, 15, 18, 21, 24)

ACCEPTANCE: Mapping[str, Mapping[str, Sequence[float]]] = {
    "Google Dialogflow": {
        "cafe": (0.63, 0.70, 0.76, 0.79, 0.82, 0.83, 0.82),
        "kitchen": (0.70, 0.78, 0.78, 0.80, 0.81, 0.82, 0.83),
    },
    "Amazon Lex": {
        "cafe": (0.71, 0.82, 0.84, 0.87, 0.87, 0.87, 0.87),
        "kitchen": (0.80, 0.84, 0.85, 0.87, 0.87, 0.87, 0.88),
    },
    "IBM Watson": {
        "cafe": (0.50, 0.76, 0.88, 0.92, 0.94, 0.95, 0.96),
        "kitchen": (0.72, 0.84, 0.89, 0.93, 0.95, 0.95, 0.96),
    },
    "Microsoft LUIS": {
        "cafe": (0.83, 0.85, 0.89, 0.90, 0.91, 0.93, 0.93),
        "kitchen": (0.86, 0.89, 0.90, 0.91, 0.92, 0.93, 0.93),
    },
    "Picovoice Rhino": {
        "cafe": (0.91, 0.96, 0.98, 0.98, 0.98, 0.99, 0.99),
        "kitchen": (0.96, 0.97, 0.98, 0.99, 0.99, 0.99, 0.99),
    },
}


def mean_acceptance(engine: str) -> dict[float | None, float]:
    """By SNR, the mean of both noises."""
    by_noise = ACCEPTANCE[engine].values()
    return {
        float(snr): sum(values) / len(by_noise) for snr, values in zip(SNR_DB, zip(*by_noise, strict=True), strict=True)
    }
