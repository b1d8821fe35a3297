"""Score a bundle on labelled recordings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import hydra
import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from pydantic import Field

from slu.bundles import Predictor, load_bundle
from slu.common.cli import reports_errors, run_command
from slu.common.errors import UserError
from slu.common.files import atomic_write, write_json
from slu.common.progress import progress_bar
from slu.common.settings import parse_settings
from slu.corpus.manifest import read_manifest
from slu.evaluation.run import evaluate, subset
from slu.evaluation.tables import facts_table, metrics_table, show, speaker_table


@dataclass(frozen=True)
class EvaluateSettings:
    bundle: str
    manifest: str
    split: str | None
    noise_test_snr_db: tuple[float, ...]
    threads: Annotated[int, Field(ge=1)]
    outputs: str


@hydra.main(version_base="1.3", config_path="../conf", config_name="evaluate")
@reports_errors
def main(config: DictConfig) -> None:
    settings = cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    run = Path(HydraConfig.get().runtime.output_dir)
    if settings["manifest"] is None:
        raise UserError("name the recordings to score: manifest=path/metadata.csv")
    plain = parse_settings(EvaluateSettings, settings, "settings")
    torch.set_num_threads(plain.threads)
    predictor = Predictor(load_bundle(Path(settings["bundle"])))
    spec = predictor.bundle.spec
    manifest = read_manifest(Path(settings["manifest"]), spec.heads, require_heads=False)
    if settings["split"] is not None:
        if "split" not in manifest.table.columns:
            raise UserError(f"{manifest.path} has no column 'split'; leave split= out to score every row")
        manifest = subset(manifest, "split", settings["split"])
        if manifest.table.empty:
            raise UserError(f"{manifest.path}: the {settings['split']} split is empty")

    results = {}
    for snr in [None, *plain.noise_test_snr_db]:
        name = "clean" if snr is None else f"{snr:g} dB"
        with progress_bar(f"scoring {name}") as progress:
            results[name] = evaluate(predictor, manifest, snr_db=snr, progress=progress)
    clean = results["clean"]
    if clean.metrics["n"] == 0:
        raise UserError(f"{manifest.path}: not one readable clip has a label; there is nothing to score")
    unlabelled = {
        head: int((clean.truth[head] < 0).sum()) for head in clean.truth if (clean.truth[head] < 0).any()
    }  # fmt: skip
    write_json(
        run / "metrics.json",
        {
            **clean.metrics,
            "noise": {name: result.metrics for name, result in results.items() if name != "clean"},
            "unlabelled": unlabelled,
            "broken": clean.broken,
            "bundle": predictor.bundle.version,
            "manifest": str(manifest.path),
        },
    )
    with atomic_write(run / "predictions.csv") as file:
        clean.table(manifest).to_csv(file, index=False)
    metrics = {name: result.metrics for name, result in results.items()}
    show(metrics_table(metrics, f"{predictor.bundle.version} on {manifest.path}"), speaker_table(clean.metrics))
    facts = [("metrics", str(run / "metrics.json")), ("every answer", str(run / "predictions.csv"))]
    facts += [("left out", f"{n} clips without a label for {head}") for head, n in unlabelled.items()]
    facts += [("unreadable", message) for message in clean.broken[:10]]
    if len(clean.broken) > 10:
        facts.append(("unreadable", f"and {len(clean.broken) - 10} more, all in metrics.json"))
    show(facts_table(facts))


if __name__ == "__main__":
    run_command(main)
