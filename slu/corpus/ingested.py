"""An ingested corpus as a stage: made once per source and settings, published whole or not at all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from slu.common.errors import UserError
from slu.common.files import atomic_directory, content_hash, settings_hash, write_json
from slu.common.progress import progress_bar
from slu.common.stage import fingerprint, is_fresh, mark_done
from slu.corpus.clips import Reason, Rejection, Source
from slu.corpus.dataset_facts import write_dataset_facts
from slu.corpus.ingest import Located, Recording, copy_clips, locate
from slu.corpus.ingest_report import piece_columns, write_report
from slu.corpus.ingest_settings import IngestSettings
from slu.corpus.manifest import Manifest, infer_heads, read_manifest, write_manifest
from slu.spec import Head

# Raised whenever the same source would give another corpus, so that older ones count as stale.
VERSION = 3


def ensure_ingested(
    source: Source, settings: IngestSettings, outputs: Path, *, force: bool = False
) -> tuple[Path, bool]:
    """Path of the corpus's folder, and whether it had to be made now.

    Raises UserError when nothing could be trained on the result. An earlier corpus then stays as it is; the
    merged labels and the reasons are left in a folder of their own, which the message names.
    """
    if settings.min_duration_s > settings.longest_s:
        longest = "max_duration_s" if settings.segment.length_s is None else "segment.max_recording_s"
        raise UserError(f"min_duration_s={settings.min_duration_s:g} exceeds {longest}={settings.longest_s:g}")
    located = locate(source, settings)
    value = _fingerprint(source, settings, located)
    folder = outputs / "ingest" / settings.name
    if not force and is_fresh(folder, value) and (folder / "metadata.csv").is_file():
        return folder, False
    if only := _one_class(located, settings):
        unread = [
            Rejection(i.clip.source, i.file(source.audio), i.place) for i in located if isinstance(i.place, Reason)
        ]
        raise _labels_only(f"{source.audio}: {only}", folder, source, (*source.rejected, *unread))
    with atomic_directory(folder) as target:
        with progress_bar(f"reading {settings.name}") as progress:
            recordings, refused = copy_clips(located, source.audio, settings, target, progress)
        rejected = (*source.rejected, *refused)
        try:
            heads = _write_corpus(recordings, rejected, source, settings, target)
        except UserError as error:
            raise _labels_only(str(error), folder, source, rejected) from None
        write_report(target, source, recordings, rejected)
        mark_done(target, value, clips=len(recordings), heads={head.name: list(head.classes) for head in heads})
    return folder, True


def _one_class(located: Sequence[Located], settings: IngestSettings) -> str:
    """What is wrong when every clip that has audio bears the same label: known before hours of it are read."""
    found = [item.clip.labels for item in located if isinstance(item.place, Path)]
    for head in settings.heads:
        labels = {labels.get(head, "") for labels in found} - {""}
        if len(labels) == 1 and head not in (settings.classes or {}):
            return (
                f"every clip has the {head} '{labels.pop()}', and a recogniser needs at least two different labels; "
                f"add recordings of another, or name all classes with 'classes={{{head}: [...]}}'"
            )
    return ""


def _labels_only(problem: str, folder: Path, source: Source, rejected: Sequence[Rejection]) -> UserError:
    report = folder.with_name(f"{folder.name}-labels-only")
    with atomic_directory(report) as place:
        write_report(place, source, (), rejected)
    return UserError(f"{problem}; merged labels and the reason for each clip: {report}")


def _fingerprint(source: Source, settings: IngestSettings, located: Sequence[Located]) -> str:
    """Audio is recognised by path, size and time: hashing its bytes takes as long as decoding them."""
    files = [(str(item.place), item.place.stat()) for item in located if isinstance(item.place, Path)]
    return fingerprint(
        version=VERSION,
        settings=asdict(settings),
        tables=[content_hash(table) for table in source.tables],
        source=asdict(source),
        audio=[(name, facts.st_size, facts.st_mtime_ns) for name, facts in files],
    )


def _write_corpus(
    recordings: Sequence[Recording],
    rejected: Sequence[Rejection],
    source: Source,
    settings: IngestSettings,
    target: Path,
) -> tuple[Head, ...]:
    """`metadata.csv`, `metadata.json` and one label map per head, validated.

    Raises UserError when they are not enough to train.
    """
    if not recordings:
        raise UserError(_nothing_usable(source, rejected))
    cut = settings.segment.length_s is not None
    table = pd.DataFrame([piece_columns(r, piece, cut=cut) for r in recordings for piece in r.pieces])
    table = table.drop(columns=[c for c in ("speaker", "split", "text") if c in table and not table[c].any()])
    path = target / "metadata.csv"
    write_manifest(path, table)
    heads = _heads(read_manifest(path), source, settings, len(recordings))
    read_manifest(path, heads)
    for head in heads:
        write_json(target / f"{head.label_map}2id.json", head.to_ids())
    durations = [piece.duration_s for r in recordings for piece in r.pieces]
    parts = sorted((r.digest, sorted(r.clip.labels.items()), r.clip.split, len(r.pieces)) for r in recordings)
    content = settings_hash(parts, asdict(settings.segment), settings.sample_rate)
    write_dataset_facts(target, table.assign(duration_s=durations), settings.heads, asdict(settings), content)
    return heads


def _heads(manifest: Manifest, source: Source, settings: IngestSettings, accepted: int) -> tuple[Head, ...]:
    maps, classes = dict(settings.label_maps or {}), settings.classes or {}
    here = Manifest(source.audio, manifest.table)  # messages name the source, not a file that is about to vanish
    try:
        return tuple(
            Head(name, classes[name], maps.get(name, "")) if name in classes else infer_heads(here, [name], maps)[0]
            for name in settings.heads
        )
    except ValueError as error:
        raise UserError(f"classes: {error}") from None
    except UserError as error:
        raise UserError(f"{error} ({accepted} of {len(source.clips)} clips have usable audio)") from None


def _nothing_usable(source: Source, rejected: Sequence[Rejection]) -> str:
    counts = Counter(rejection.reason.kind for rejection in rejected)
    total = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    sentence = f"none of the {len(source.clips)} clips has usable audio ({total}), looked in {source.audio}"
    commonest = counts.most_common(1)[0][0]
    if commonest == "missing audio":
        return f"{sentence}; name the folder that holds it with source.audio=FOLDER"
    example = next(rejection for rejection in rejected if rejection.reason.kind == commonest)
    cure = "; recordings longer than that are cut with segment.length_s=3" if commonest == "duration" else ""
    return f"{sentence}; for example {example.file or example.source}, {example.reason}{cure}"
