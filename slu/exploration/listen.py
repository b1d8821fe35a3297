"""A handful of clips to hear: what was set aside, and how the classes sound."""

from collections.abc import Iterator

from slu.audio.decode import AudioError, AudioFacts, Waveform
from slu.audio.encode import FLAC, encode_flac
from slu.documents.page import Picture, Player
from slu.exploration.clips import load_clip
from slu.exploration.figures import wave_figure
from slu.exploration.findings import Findings
from slu.exploration.set_aside import KINDS

_AT_MOST = 8
_SET_ASIDE = 3
_LONGEST_S = 10.0


def players(findings: Findings) -> list[Player]:
    """One clip for each reason to set clips aside (a copy with its twin), then one per class of the first head."""
    found: list[Player] = []
    for row in dict.fromkeys(_rows(findings)):
        path = findings.dataset.audio[row]
        if len(found) == _AT_MOST:
            break
        if path is None:
            continue
        try:
            found.append(_player(findings, row, *load_clip(path)))
        except AudioError:  # it was readable a moment ago
            continue
    return found


def _rows(findings: Findings) -> Iterator[int]:
    heard = set(findings.heard.index)
    firsts = {reason.kind: row for row, reason in reversed(list(findings.set_aside.items())) if row in heard}
    for row in [firsts[kind] for kind in KINDS if kind in firsts][:_SET_ASIDE]:
        yield row
        if (twin := findings.set_aside[row].twin) is not None:
            yield twin
    head = findings.heads[0] if findings.heads else None
    fine = [row for row in findings.heard.index if row not in findings.set_aside]
    labels = findings.dataset.table[head.name] if head is not None else None
    speakers: set[str] = set()
    for label in head.classes if head is not None else ():
        rows = [row for row in fine if labels is not None and labels.iloc[row] == label]
        voice = findings.dataset.table["speaker"]
        chosen = next((row for row in rows if voice.iloc[row] not in speakers), rows[0] if rows else None)
        if chosen is not None:
            speakers.add(voice.iloc[chosen])
            yield int(chosen)


def _player(findings: Findings, row: int, audio: AudioFacts, samples: Waveform) -> Player:
    clip, measured = findings.dataset.table.iloc[row], findings.measured.iloc[row]
    reason = findings.set_aside.get(row)
    labels = ", ".join(f"{head} {clip[head]}" for head in findings.dataset.heads if clip[head])
    facts = [("said by", clip["speaker"]), ("split", clip["split"]), ("sentence", clip["text"])]
    facts += [
        ("lasts", f"{measured['duration_s']:.2f} s, {measured['level_db']:.0f} dB"),
        ("file", clip["file_name"]),
        ("set aside", f"{reason.kind}: {reason.detail}" if reason else ""),
    ]
    shown = samples[: int(_LONGEST_S * audio.sample_rate)]
    return Player(
        title=labels or "no label",
        audio=encode_flac(shown, audio.sample_rate),
        media_type=FLAC,
        picture=Picture(wave_figure(shown, audio.sample_rate), f"waveform of {clip['file_name']}"),
        facts=[(name, str(value)) for name, value in facts if value],
        tone="warning" if reason else "plain",
    )
