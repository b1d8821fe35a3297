"""The commands that slides recommend, about this very run: its bundle, its clips, its split."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from slu.bundles import Bundle
from slu.slides.words import Missing, shown
from slu.versions.places import place_of

Show = Callable[[Path], str]

_BUNDLE = "outputs/registry/orders/latest"
_EVALUATED = ("bundle", "manifest", "split", "split_column", "force")
_SPOKEN = ("experiment", "menu", "voices", "synthesis")
_RECIPE = (*_SPOKEN, "features", "model", "augment")
_DATA: Mapping[str, Any] = {
    "synthetic_speech": False, "min_duration_s": 0.1, "max_duration_s": 10.0, "on_bad_audio": "error",
}  # fmt: skip
_SPLIT: Mapping[str, Any] = {"method": "auto", "column": "split", "val": 0.15, "test": 0.15, "seed": 0}


@dataclass(frozen=True)
class Launch:
    """How a run was started, from its `.hydra`; empty where there is none."""

    settings: Mapping[str, Any]
    overrides: Sequence[str]

    @property
    def bundles(self) -> list[str]:
        named = self.settings.get("bundle")
        return [str(name) for name in named] if isinstance(named, list) else [] if named is None else [str(named)]

    def find_bundle(self, version: str) -> Path | None:
        """Where the settings say, or beside it: an alias may have moved on."""
        registry = Path(str(self.settings.get("outputs") or "outputs")) / "registry"
        for named in (place_of(name, registry) for name in self.bundles):
            for folder in (named.parent / version, named):
                if folder.is_dir() and folder.resolve().name == version:
                    return folder
        return None


def read_launch(run: Path) -> Launch:
    for folder in (run, run.parent):  # of several compared bundles, each has a folder in the run's
        settings = _read_yaml(folder / ".hydra" / "config.yaml")
        if isinstance(settings, dict):
            overrides = _read_yaml(folder / ".hydra" / "overrides.yaml")
            return Launch(settings, [str(o) for o in overrides] if isinstance(overrides, list) else [])
    return Launch({}, [])


def _read_yaml(path: Path) -> object:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None


def evaluate_command(launch: Launch, metrics: Mapping[str, Any], show: Show, *more: str) -> str:
    """The evaluation again with `more` settings; a `manifest=` among these takes the place of its clips."""
    keys = {_key(setting) for setting in more}
    arguments = _bundle(launch, metrics.get("bundle"), show)
    if "manifest" not in keys:
        arguments += _clips(launch, metrics, show)
    kept = [o for o in launch.overrides if _key(o) not in (*_EVALUATED, *keys)]
    if "conditions" in keys:
        kept = [o for o in kept if not _key(o).startswith("conditions.")]
    return _command("evaluate", [*arguments, *kept, *more])


def _bundle(launch: Launch, version: object, show: Show) -> list[str]:
    found = launch.find_bundle(str(version))
    if launch.bundles == [_BUNDLE] and (found is None or Path(_BUNDLE).resolve() == found.resolve()):
        return []
    if found is not None:
        return [f"bundle={_value(show(found))}"]
    if len(launch.bundles) == 1:
        return [f"bundle={_value(show(Path(launch.bundles[0])))}"]
    return [] if version is None else [f"bundle=…/{version}"]


def _clips(launch: Launch, metrics: Mapping[str, Any], show: Show) -> list[str]:
    named = launch.settings.get("manifest") if launch.settings else metrics.get("manifest")
    arguments = [] if named is None else [f"manifest={_value(show(Path(str(named))))}"]
    if (split := launch.settings.get("split")) is not None:
        arguments.append(f"split={_value(str(split))}")
    if named is not None and (column := launch.settings.get("split_column", "split")) != "split":
        arguments.append(f"split_column={_value(str(column))}")
    return arguments


def train_command(launch: Launch, bundle: Bundle | Missing, show: Show, *more: str) -> str:
    """The bundle's training again, with `more` settings."""
    if isinstance(bundle, Missing):
        return _command("train", more)
    keys = {_key(setting) for setting in more}
    choices = [o for o in _choices(bundle, _RECIPE) if _key(o) not in keys]
    return _command("train", [*choices, *_trained_on(bundle, show), *_outputs(launch), *more])


def explore_command(
    launch: Launch, metrics: Mapping[str, Any], bundle: Bundle | Missing, show: Show, *more: str
) -> str:
    """An exploration of the clips that were evaluated."""
    evaluated = metrics.get("manifest")
    if not isinstance(bundle, Missing) and _is_own(launch, bundle):
        arguments = [*_choices(bundle, _SPOKEN), *_trained_on(bundle, show)]
    elif not isinstance(evaluated, str):
        arguments = []
    else:
        heads = ",".join(_value(name) for name in metrics["heads"])
        arguments = ["data=manifest", f"data.manifest={_value(show(Path(evaluated)))}", f"data.heads=[{heads}]"]
        if not isinstance(bundle, Missing):
            arguments.append(f"data.task={bundle.spec.task}")
        if (column := launch.settings.get("split_column", "split")) != "split":
            arguments.append(f"split_column={_value(str(column))}")
    return _command("eda", [*arguments, *_outputs(launch), *more])


def _is_own(launch: Launch, bundle: Bundle) -> bool:
    """The clips that were evaluated are those that the bundle was trained beside."""
    named = launch.settings.get("manifest")
    return bool(launch.settings) and (
        named is None
        or any(_same(named, own) for own in (_data(bundle).get("manifest"), bundle.metrics.get("manifest")))
    )


def _same(one: object, other: object) -> bool:
    return other is not None and Path(str(one)).resolve() == Path(str(other)).resolve()


def _data(bundle: Bundle) -> Mapping[str, Any]:
    return bundle.config.get("data") or {}


def _trained_on(bundle: Bundle, show: Show) -> list[str]:
    """Nothing for the embedded corpus: the commands know it."""
    data = _data(bundle)
    if data.get("manifest") is None:
        return []
    arguments = ["data=manifest", f"data.manifest={_value(show(Path(str(data['manifest']))))}"]
    if data.get("heads") and not data.get("synthetic_speech"):  # else the heads are the menu's
        arguments.append(f"data.heads=[{','.join(_value(str(name)) for name in data['heads'])}]")
    arguments.append(f"data.task={_value(str(data.get('task', bundle.spec.task)))}")
    arguments += _changed("data", data, _DATA)
    return arguments + _changed("data.split", data.get("split") or {}, _SPLIT)


def _changed(group: str, settings: Mapping[str, Any], usual: Mapping[str, Any]) -> list[str]:
    changed = {key: settings[key] for key, value in usual.items() if settings.get(key, value) != value}
    return [f"{group}.{key}={_value(str(value).lower() if value is True else str(value))}" for key, value in
            changed.items()]  # fmt: skip


def _choices(bundle: Bundle, groups: Sequence[str]) -> list[str]:
    """Parts that the training swapped, from the run that its bundle names."""
    run = bundle.metrics.get("run")
    overrides = _read_yaml(Path(run) / ".hydra" / "overrides.yaml") if isinstance(run, str) and run else None
    return [str(o) for o in overrides if _key(str(o)) in groups] if isinstance(overrides, list) else []


def is_of_experiment(bundle: Bundle | Missing) -> bool:
    """Its training is an experiment of its own, which another one would take the place of."""
    return not isinstance(bundle, Missing) and bool(_choices(bundle, ("experiment",)))


def _outputs(launch: Launch) -> list[str]:
    outputs = str(launch.settings.get("outputs", "outputs"))
    return [] if outputs == "outputs" else [f"outputs={_value(shown(Path(outputs)))}"]


def _key(setting: str) -> str:
    return setting.lstrip("+~").partition("=")[0]


def _value(text: str) -> str:
    """As Hydra reads it: quoted where it would take a character for its own."""
    if re.fullmatch(r"[\w./:@%+?…-]+", text):
        return text
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"


def _command(name: str, arguments: Sequence[str]) -> str:
    """Quoted for a shell where needed, and no more: an ellipsis is for reading."""
    words = [word if re.fullmatch(r"[\w./:@%+=?…-]+", word) else shlex.quote(word) for word in arguments]
    return " ".join(["python", "-m", f"slu.{name}", *words])
