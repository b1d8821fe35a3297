"""One clip as a reader meets it: a player, the picture, what was said and what was heard."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from slu.audio.encode import FLAC, encode_flac
from slu.documents.page import Picture, Player
from slu.evaluation.evaluation import Evaluation
from slu.evaluation.plots import clip_figure
from slu.inference.prediction import head_and_label

Tone: TypeAlias = Literal["warning", "good"]


def clip_cards(result: Evaluation, indices: Sequence[int], tone: Tone) -> list[Player]:
    """Of the clips with these places among the answers, in the condition they were heard under."""
    return [clip_card(result, index, tone) for index in indices]


def clip_card(result: Evaluation, index: int, tone: Tone) -> Player:
    front_end = result.predictor.bundle.front_end
    samples, row = result.waveform(index), result.table.iloc[index]
    prediction = result.prediction(index)
    said = ", ".join(head_and_label(h.name, row[h.name], h.shown(row[h.name])) for h in result.heads if row[h.name])
    heard = prediction.heard(head.name for head in result.heads)
    features = result.predictor.features(samples)
    facts = [("said", said), ("heard", heard), ("confidence", f"{prediction.confidence:.2f}")]
    if not prediction.understood:
        facts.append(("cannot tell", prediction.reason))
    for head in result.heads:
        best = sorted(prediction.scores[head.name].items(), key=lambda item: -item[1])[:3]
        facts.append((head.name, ", ".join(f"{head.shown(label)} {score:.2f}" for label, score in best)))
    answers = result.answers
    sound = f"{answers.duration_s[index]:.1f} s, {answers.level_db[index]:.0f} dB"
    facts.append(("clip", f"{sound}, estimated SNR {answers.snr_db[index]:.0f} dB"))
    if row.get("speaker"):
        facts.append(("speaker", str(row["speaker"])))
    return Player(
        title=str(row.get("text") or row["file_name"]),
        audio=encode_flac(samples, front_end.sample_rate),
        media_type=FLAC,
        picture=Picture(
            clip_figure(samples, features, front_end.sample_rate, front_end.hop_s),
            f"Waveform and features of {row['file_name']}",
            kind="png",
        ),
        facts=[*facts, ("file", str(row["file_name"]))],
        tone=tone,
    )
