"""The stages before training, each skipped when up to date: corpus, manifest with splits, task contract."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from slu.common.errors import UserError
from slu.common.files import settings_hash
from slu.common.settings import parse_settings
from slu.corpus.alignments import each_alignment
from slu.corpus.dataset_facts import write_dataset_facts
from slu.corpus.labels import label_ids
from slu.corpus.manifest import Manifest, infer_heads, read_manifest
from slu.corpus.menu import Menu
from slu.corpus.other_speech import other_speech
from slu.corpus.splits import SplitSettings, assign_splits, spoken_sides
from slu.corpus.synthesised import corpus_heads, ensure_synthesised, is_synthesised, synthesis_settings
from slu.decoding.grammar import Grammar
from slu.features import FrontEnd, build_front_end
from slu.models import hears_frames
from slu.spec import Head, TaskSpec
from slu.training.preprocessing import FeatureTable, preprocess, preprocess_share
from slu.training.settings import DataSettings, PrepareSettings, RunSettings
from slu.training.shares import Share

T = TypeVar("T")


@dataclass(frozen=True)
class Prepared:
    manifest: Manifest
    """The usable rows, each with its split and never cut into segments; `file_name` is absolute."""
    spec: TaskSpec
    features: FeatureTable

    @property
    def data_hash(self) -> str:
        """Of the audio, labels and splits: equal for equal data, whatever the front end and the folder."""
        table = self.features.table
        columns = [table[name] for name in [*self.spec.head_names, "split", "start_s"] if name in table.columns]
        return settings_hash(sorted(zip((Path(p).stem for p in table["feature_path"]), *columns, strict=True)))


def prepare(settings: Mapping[str, Any], outputs: Path) -> Prepared:
    """Run whatever is missing of synthesise, split and preprocess for a composed configuration.

    Raises UserError for anything in the data or the settings that training could not use.
    """
    manifest, spec = load_data(settings, outputs)
    plain = _section(PrepareSettings, settings)
    data = parse_settings(DataSettings, settings["data"], "data")
    features = preprocess(
        manifest, spec, outputs, on_bad_audio=data.on_bad_audio, workers=plain.workers, store=plain.features_store
    )
    count = f"{len(features.table)} clips"
    if spec.segment_s:
        silent = f" ({features.silent_segments} silent ones left out)" if features.silent_segments else ""
        count = f"{len(features.table)} segments{silent} of {len(features.recordings)} recordings"
    print(f"features: {count}, {features.computed} computed now, {features.path}", flush=True)
    if len(features.rejected):
        print(
            f"left out: {len(features.rejected)} clips, listed in {features.path.parent / 'rejected.csv'}", flush=True
        )
    prepared = Prepared(Manifest(manifest.path, features.recordings), spec, features)
    made_with = {
        "manifest": str(manifest.path),
        "front_end": dict(spec.front_end),
        "split": asdict(data.split),
        "segment_s": data.segment_s,
        "segment_overlap_s": data.segment_overlap_s,
        "min_duration_s": data.min_duration_s,
        "max_duration_s": data.max_duration_s,
    }
    write_dataset_facts(features.path.parent, features.table, spec.head_names, made_with, prepared.data_hash)
    return prepared


def prepare_share(settings: Mapping[str, Any], outputs: Path, share: Share) -> None:
    """Compute the features of a share of the rows, and nothing else; `prepare` finds them and writes the table.

    Raises UserError for a corpus that has to be synthesised: several shares would each do it.
    """
    data, plain = parse_settings(DataSettings, settings["data"], "data"), _section(PrepareSettings, settings)
    bad, workers, store = data.on_bad_audio, plain.workers, plain.features_store
    if data.synthetic_speech:
        menu = Menu.parse(settings["menu"], "menu")
        synthesis = synthesis_settings(settings["synthesis"], settings["voices"])
        if not is_synthesised(menu, synthesis, outputs):
            raise UserError(
                f"shard={share}: the corpus of menu '{menu.task}' is not spoken yet, and every share would speak it; "
                "run python -m slu.synthesize with the same menu, voices and synthesis first"
            )
    manifest, spec = load_data(settings, outputs)
    clips, computed, unusable = preprocess_share(
        manifest, spec, outputs, share, on_bad_audio=bad, workers=workers, store=store
    )
    print(f"shard {share}: {clips} clips, {computed} computed now, {unusable} unusable; no table yet", flush=True)


def _section(kind: type[T], settings: Mapping[str, Any]) -> T:
    names = [f.name for f in fields(kind) if f.name in settings]  # type: ignore[arg-type]
    return parse_settings(kind, {name: settings[name] for name in names}, "settings")


def run_settings(settings: Mapping[str, Any]) -> RunSettings:
    """Raises UserError for a value that a run cannot use."""
    return _section(RunSettings, settings)


def require_front_end(settings: Mapping[str, Any]) -> FrontEnd:
    """Raises UserError for settings that make none."""
    try:
        return build_front_end(settings["features"])
    except (ValueError, TypeError) as error:
        raise UserError(f"features: {error}") from None


def load_data(settings: Mapping[str, Any], outputs: Path) -> tuple[Manifest, TaskSpec]:
    data = parse_settings(DataSettings, settings["data"], "data")
    if data.manifest is None and not data.synthetic_speech:
        raise UserError("data=manifest needs a table: add data.manifest=path/metadata.csv")
    require_front_end(settings)
    manifest, heads, grammar = None, None, {}
    if data.synthetic_speech:
        menu = Menu.parse(settings["menu"], "menu")
        synthesis = synthesis_settings(settings["synthesis"], settings["voices"])
        by_frames = hears_frames(settings.get("model", {}))
        path, is_new = ensure_synthesised(menu, synthesis, outputs, aligned=by_frames)
        print(f"corpus: {'spoken now' if is_new else 'up to date'}, {path}", flush=True)
        heads = corpus_heads(menu, synthesis.voices)
        manifest = read_manifest(path, heads)
        if by_frames:
            grammar = _grammar(menu, path)
    if data.manifest is not None:
        recorded, heads = _read_recordings(Path(data.manifest), data, heads)
        manifest = recorded if manifest is None else _train_along(recorded, manifest, data.split.val)
    assert manifest is not None
    assert heads is not None
    try:
        spec = TaskSpec(
            task=data.task,
            heads=_named(heads, data.display_names),
            front_end=dict(settings["features"]),
            min_duration_s=data.min_duration_s,
            max_duration_s=data.max_duration_s,
            min_confidence=_section(PrepareSettings, settings).min_confidence,
            segment_s=data.segment_s,
            segment_overlap_s=data.segment_overlap_s,
            grammar=grammar,
        )
    except ValueError as error:
        raise UserError(f"data: {error}") from None
    return manifest, spec


def _grammar(menu: Menu, corpus: Path) -> dict[str, Any]:
    """What the menu allows, in the sounds of its synthesised corpus. Raises UserError for a word never said there."""
    try:
        return Grammar.learnt(menu.word_graph(), (alignment for _, alignment in each_alignment(corpus))).to_json()
    except ValueError as error:
        raise UserError(f"menu '{menu.task}': {error}; raise synthesis.counts.train") from None


def _read_recordings(
    path: Path, data: DataSettings, heads: tuple[Head, ...] | None
) -> tuple[Manifest, tuple[Head, ...]]:
    heads = heads or infer_heads(read_manifest(path, labels=data.heads), data.heads, data.label_maps)
    manifest = read_manifest(path, heads)
    return Manifest(path, assign_splits(manifest.table, data.split, str(path))), heads


def _named(heads: Sequence[Head], names: Mapping[str, Mapping[str, str]]) -> tuple[Head, ...]:
    """Raises ValueError for names of a head or class that there is not."""
    if strangers := sorted(set(names) - {head.name for head in heads}):
        known = ", ".join(head.name for head in heads)
        raise ValueError(f"display_names.{strangers[0]}: there is no such head; heads are {known}")
    return tuple(replace(head, display={**head.display, **names.get(head.name, {})}) for head in heads)


def split_settings(settings: Mapping[str, Any]) -> SplitSettings:
    return parse_settings(DataSettings, settings["data"], "data").split


def _train_along(recorded: Manifest, spoken: Manifest, val: float) -> Manifest:
    """The recordings, and the voices of the synthesised corpus beside them; of its validation clips always those of
    speech that is not on the menu, which decide what to refuse."""
    refused = other_speech(spoken.table) & (spoken.table["split"] == "val")
    voices = spoken.table[spoken.table["split"].isin(spoken_sides(recorded.table, val)) | refused]
    files = [str((spoken.folder / name).resolve()) for name in voices["file_name"]]
    parts = [recorded.table.assign(synthetic=""), voices.assign(file_name=files, synthetic="yes")]
    return Manifest(recorded.path, pd.concat(parts, ignore_index=True).fillna(""))


def require_splits(data: Prepared, settings: Mapping[str, Any]) -> None:
    """Raises UserError for an empty split, and for a class that nothing trains.

    Validation may be missing where that is asked for (data.split.val=0): a fit then keeps its last epoch.
    """
    table, where = data.features.table, str(data.manifest.path)
    require_examples(table, data.spec, ("train", "test"), where)
    if (table["split"] == "val").any():
        if "synthetic" in table.columns and not ((table["split"] == "val") & (table["synthetic"] == "")).any():
            print("validation: on synthetic voices, for no recording is marked as val", flush=True)
        return
    if split_settings(settings).val > 0:
        raise UserError(
            f"{where}: the val split is empty; mark some speakers as val, or do without validation, and without the "
            "choice of the best epoch, with data.split.val=0"
        )
    print("validation: none (data.split.val=0); the last epoch is kept, whether or not it is the best", flush=True)


def require_examples(table: pd.DataFrame, spec: TaskSpec, splits: Sequence[str], where: str) -> None:
    """Raises UserError for an empty split, and for a class that nothing trains."""
    for split in splits:
        if not (table["split"] == split).any():
            raise UserError(f"{where}: the {split} split is empty")
    ids = label_ids(table[table["split"] == "train"], spec.heads)
    for head in spec.heads:
        found = set(ids[head.name].tolist())
        absent = sorted(label or head.shown(label) for i, label in enumerate(head.classes) if i not in found)
        if absent:
            raise UserError(
                f"{where}: '{absent[0]}' of head '{head.name}' has no training example"
                + (f" (nor have {', '.join(absent[1:])})" if absent[1:] else "")
                + "; add clips of it, or take its rows out"
            )
