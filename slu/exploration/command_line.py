"""The commands that carry the decisions out."""

import re
import shlex
from collections.abc import Collection, Sequence

from slu.common.errors import UserError


def train_command(overrides: Sequence[str], settings: Sequence[str]) -> str:
    """`overrides` as the user gave them; a decision's setting replaces one for the same key."""
    return shlex.join(["python", "-m", "slu.train", *_merged(overrides, settings)])


def ingest_command(overrides: Sequence[str], settings: Sequence[str]) -> str:
    """Ingest knows the durations of the data group as its own; the other settings are for training."""
    own = [setting.removeprefix("data.") for setting in settings if re.match(r"data\.(min|max)_duration_s=", setting)]
    return shlex.join(["python", "-m", "slu.ingest", *_merged(overrides, own)])


def wrapped(command: str, width: int = 96) -> str:
    """The command on several lines, as a shell takes them."""
    lines = [""]
    for word in shlex.split(command):
        quoted = shlex.quote(word)
        if lines[-1] and len(lines[-1]) + len(quoted) > width:
            lines.append("   ")
        lines[-1] = f"{lines[-1]} {quoted}" if lines[-1] else quoted
    return " \\\n".join(lines)


def explore_command(overrides: Sequence[str], settings: Sequence[str]) -> str:
    return shlex.join(["python", "-m", "slu.eda", *_merged(overrides, settings)])


def spelled_out(arguments: Sequence[str], known: Collection[str]) -> list[str]:
    """What was typed, with `manifest=x.csv` as `data=manifest data.manifest=x.csv`.

    Raises UserError for a setting whose first name is not one of `known`: Hydra would advise to add it with a plus,
    and then nothing would read it. The parts of an experiment are Hydra's to judge."""
    keys = {setting_key(argument) for argument in arguments if "=" in argument}
    found = []
    for argument in arguments:
        key, _, value = argument.partition("=")
        top = re.split(r"[.@/]", setting_key(argument))[0]
        lenient = top == "hydra" or ("experiment" in keys and not key.startswith("+"))
        if re.match(r"[+~]*\w", argument) and "=" in argument and top not in known and not lenient:
            raise UserError(f"there is no setting {top}; slu.eda knows {', '.join(sorted(known))}")
        if key.lstrip("+") != "manifest":
            found.append(argument)
        elif value not in ("", "null"):
            if clash := keys & {"source", "data.manifest"}:
                raise UserError(f"manifest= and {min(clash)}= both name the data; give one of them")
            found += [*([] if "data" in keys else ["data=manifest"]), f"data.manifest={value}"]
    return found


def task_name(heads: Sequence[str]) -> str:
    """A registry folder for heads that have none yet: `coffeeDrink` and `size` give `coffeedrink_size`."""
    name = re.sub(r"[^a-z0-9]+", "_", "_".join(heads).lower()).strip("_")
    return name if name[:1].isalpha() else f"task_{name}".rstrip("_")


def setting_key(setting: str) -> str:
    return setting.lstrip("+~").partition("=")[0]


def _merged(overrides: Sequence[str], settings: Sequence[str]) -> list[str]:
    decided = {setting_key(setting) for setting in settings}
    return [*(setting for setting in overrides if setting_key(setting) not in decided), *settings]
