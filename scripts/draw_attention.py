"""Draw where each head of a recogniser listens: python scripts/draw_attention.py order.wav picture.png [bundle]"""

import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from slu.audio.decode import decode
from slu.bundles import Predictor, load_bundle
from slu.models.layers import frame_mask


def main(audio: Path, picture: Path, folder: Path) -> None:
    predictor = Predictor(load_bundle(folder))
    bundle = predictor.bundle
    waveform = decode(audio, bundle.front_end.sample_rate)
    features = predictor.features(waveform)
    answer = predictor.predict_waveforms([waveform])[0]
    network, lengths = bundle.recogniser, torch.tensor([len(features)])
    with torch.inference_mode():
        x = network.normalise(features.unsqueeze(0), frame_mask(lengths, len(features)))
        frames, _ = network.encoder(x, lengths)
        weights = network.heads.scores(frames).softmax(dim=1)[0].numpy()

    seconds = len(waveform) / bundle.front_end.sample_rate
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    top.imshow(features.T, origin="lower", aspect="auto", cmap="magma", extent=(0, seconds, 0, features.shape[1]))
    top.set(ylabel="mel band", title="log-mel features")
    time = (np.arange(len(weights)) + 0.5) * seconds / len(weights)
    for column, (head, label) in enumerate(answer.labels.items()):
        share = answer.scores[head][label]
        bottom.plot(time, weights[:, column], drawstyle="steps-mid", label=f"{head}: {label} ({share:.0%})")
    bottom.set(xlabel="seconds", ylabel="attention", xlim=(0, seconds), ylim=(0, None))
    bottom.legend(loc="upper right")
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        Path(sys.argv[3] if len(sys.argv) > 3 else "outputs/registry/orders/latest"),
    )
