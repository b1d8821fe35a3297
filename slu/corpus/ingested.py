"""An ingested corpus as a stage: made once per source and settings, published whole or not at all."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from slu.common.errors import UserError
from slu.common.files import atomic_directory, content_hash, write_json
from slu.common.progress import progress_bar
from slu.common.stage import fingerprint, is_fresh, mark_done
from slu.corpus.clips import Rejection, Source
from slu.corpus.ingest import IngestSettings, Located, Recording, copy_clips, locate
from slu.corpus.ingest_report import clip_columns, write_report
from slu.corpus.manifest import Manifest, infer_heads, read_manifest, write_manifest
from slu.spec import Head

# Raised whenever the same source would give another corpus, so that older ones count as stale.
VERSION = 1


def ensure_ingested(
    source: Source, settings: IngestSettings, outputs: Path, *, force: bool = False
) -> tuple[Path, bool]:
    """Path of the corpus's folder, and whether it had to be made now.

    Raises UserError when nothing could be trained on the result. An earlier corpus then stays as it is; the
    merged labels and the reasons are left in a folder of their own, which the message names.
    """
    if settings.min_duration_s > settings.max_duration_s:
        raise UserError(
            f"min_duration_s={settings.min_duration_s:g} exceeds max_duration_s={settings.max_duration_s:g}"
        )
    located = locate(source, settings)
    value = _fingerprint(source, settings, located)
    folder = outputs / "ingest" / settings.name
    if not force and is_fresh(folder, value) and (folder / "metadata.csv").is_file():
        return folder, False
    with atomic_directory(folder) as target:
        with progress_bar(f"reading {settings.name}") as progress:
            recordings, refused = copy_clips(located, source.audio, settings, target, progress)
        rejected = (*source.rejected, *refused)
        try:
            heads = _write_corpus(recordings, rejected, source, settings, target)
        except UserError as error:
            report = folder.with_name(f"{folder.name}-labels-only")
            with atomic_directory(report) as place:
                write_report(place, source, (), rejected)
            raise UserError(f"{error}; merged labels and the reason for each clip: {report}") from None
        write_report(target, source, recordings, rejected)
        mark_done(target, value, clips=len(recordings), heads={head.name: list(head.classes) for head in heads})
    return folder, True


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
    """`metadata.csv` and one label map per head, validated. Raises UserError when they are not enough to train."""
    if not recordings:
        raise UserError(_nothing_usable(source, rejected))
    table = pd.DataFrame([{"file_name": r.file_name, **clip_columns(r.clip)} for r in recordings])
    table = table.drop(columns=[c for c in ("speaker", "split", "text") if c in table and not table[c].any()])
    path = target / "metadata.csv"
    write_manifest(path, table)
    heads = _heads(read_manifest(path), source, settings, len(recordings))
    read_manifest(path, heads)
    for head in heads:
        write_json(target / f"{head.label_map}2id.json", head.to_ids())
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
    return f"{sentence}; for example {example.file or example.source}, {example.reason}"
