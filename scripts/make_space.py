"""Write a complete Hugging Face Space: python scripts/make_space.py FOLDER [bundle=outputs/registry/orders/latest]

    [title="Say an order"] [license=other]   of its metadata; the licence is that of your recordings and words

FOLDER must not exist. Try it with FOLDER's requirements and Gradio in an environment, `python app.py`; publish it with
`hf upload USER/NAME FOLDER . --repo-type=space`.
"""

import re
import shutil
import string
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from slu.common.errors import UserError  # noqa: E402
from slu.common.files import atomic_directory, atomic_write  # noqa: E402
from slu.inference.files import CARD, ONNX, SPEC, WEIGHTS  # noqa: E402
from slu.inference.onnx_runtime import open_predictor  # noqa: E402

_CODE = ("__init__.py", "spec.py", "common", "audio", "decoding", "inference", "serving/__init__.py")
_PAGE = "serving/gradio_blocks.py"
_PINNED = ("av", "numpy", "onnxruntime", "soundfile", "soxr")
"""What that code imports, beside Gradio, which the Space brings in the version that its metadata names."""


def requirements() -> str:
    """As the server pins them; without hashes, for a Space installs Gradio in the same breath."""
    pins = (ROOT / "requirements-serve.txt").read_text(encoding="utf-8")
    return "".join(f"{name}=={re.search(rf'^{name}==([^ ]+)', pins, re.MULTILINE)[1]}\n" for name in _PINNED)  # type: ignore[index]


def gradio_version() -> str:
    """The lowest that the project allows, as three numbers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (wanted,) = project["optional-dependencies"]["gradio"]
    numbers = re.findall(r"\d+", wanted.split(",")[0])
    return ".".join([*numbers, "0", "0"][:3])


def make_space(target: Path, bundle: Path, title: str, license: str) -> None:
    """Raises UserError for a bundle that cannot be used, or not without torch."""
    bundle = bundle.resolve()
    predictor = open_predictor(bundle)
    if predictor is None:
        raise UserError(f"the bundle {bundle} needs torch for its front end; a Space runs on onnxruntime alone")
    with atomic_directory(target) as folder:
        for name in (*_CODE, _PAGE):
            source, place = ROOT / "slu" / name, folder / "slu" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, place)
        kept = folder / "bundle" / bundle.name
        kept.mkdir(parents=True)
        for name in (SPEC, WEIGHTS, ONNX, CARD):  # and nothing of what it was trained on
            if (bundle / name).is_file():
                shutil.copyfile(bundle / name, kept / name)
        shutil.copyfile(ROOT / "deploy" / "space" / "app.py", folder / "app.py")
        facts = {
            "title": title, "license": license, "sdk_version": gradio_version(), "version": bundle.name,
            "python_version": "3.11", "task": predictor.spec.task,
            "megabytes": f"{(bundle / ONNX).stat().st_size / 1e6:.1f}",
        }  # fmt: skip
        page = string.Template((ROOT / "deploy" / "space" / "README.md").read_text(encoding="utf-8"))
        large = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in (".onnx", ".safetensors"))
        for name, text in {
            "README.md": page.substitute(facts), "requirements.txt": requirements(), ".gitattributes": large,
        }.items():  # fmt: skip
            with atomic_write(folder / name) as file:
                file.write(text)


def main() -> None:
    options = {"bundle": "outputs/registry/orders/latest", "title": "Say an order", "license": "other"}
    given = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    folders = [Path(word) for word in sys.argv[1:] if "=" not in word]
    if len(folders) != 1 or set(given) - set(options):
        sys.exit(__doc__)
    options |= given
    try:
        if folders[0].exists():
            raise UserError(f"{folders[0]} is there already; name a new folder")
        if not re.fullmatch(r"[^\n\"]+", options["title"]) or not re.fullmatch(r"[\w.-]+", options["license"]):
            raise UserError("title has to be a line without quotation marks, and license a word such as apache-2.0")
        make_space(folders[0], Path(options["bundle"]), options["title"], options["license"])
    except UserError as error:
        sys.exit(f"error: {error}")
    print(f"{folders[0]}: app.py, bundle {Path(options['bundle']).resolve().name}, gradio {gradio_version()}")


if __name__ == "__main__":
    main()
