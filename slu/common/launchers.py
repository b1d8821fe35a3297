"""Hydra's launchers, and the package that each of them comes with."""

import importlib.util
import pkgutil
import shutil
from collections.abc import Sequence

from slu.common.errors import UserError

_PLUGINS = {
    "joblib": "hydra_joblib_launcher",
    "ray": "hydra_ray_launcher",
    "slurm": "hydra_submitit_launcher",  # conf/hydra/launcher/slurm.yaml
    "submitit_local": "hydra_submitit_launcher",
    "submitit_slurm": "hydra_submitit_launcher",
}
_INSTALLED_BY = {
    # Declared for cloudpickle below 3, which joblib is beyond; it runs on 3.1.
    "hydra_ray_launcher": "pip install ray && pip install --no-deps hydra-ray-launcher",
}


def launcher_of(arguments: Sequence[str]) -> str | None:
    """The one that a command line names, the last if it names several."""
    named = [a.partition("=")[2] for a in arguments if a.partition("=")[0] == "hydra/launcher"]
    return named[-1] if named else None


def require_launcher(name: str | None) -> None:
    """Raises UserError where what `hydra/launcher=name` needs is not installed, or nobody has such a launcher."""
    if name in (None, "basic"):
        return
    installed = installed_plugins()
    plugin = _PLUGINS.get(str(name))
    if plugin is None:
        if any(module.endswith("_launcher") and module not in _PLUGINS.values() for module in installed):
            return  # a launcher that we do not know may have come with it
        known = ", ".join(sorted(_PLUGINS))
        raise UserError(f"hydra/launcher={name}: there is no such launcher; take basic (one after the other), {known}")
    if plugin not in installed:
        cure = _INSTALLED_BY.get(plugin, f"pip install {plugin.replace('_', '-')}")
        raise UserError(f"hydra/launcher={name} comes with a package that is not installed: {cure}")
    if name in ("slurm", "submitit_slurm") and shutil.which("srun") is None:
        raise UserError(f"hydra/launcher={name} is started where Slurm's commands are; this machine has no srun")


def installed_plugins() -> set[str]:
    """Hydra's plugins; without importing them, which takes seconds for some."""
    found = importlib.util.find_spec("hydra_plugins")
    places = list(found.submodule_search_locations or ()) if found else []
    return {module.name for module in pkgutil.iter_modules(places)}
