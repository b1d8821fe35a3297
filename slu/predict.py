"""Say what is heard in audio files: one line each, or JSON lines."""

import argparse
import json
import sys
from pathlib import Path

from slu.common.cli import reports_errors
from slu.common.errors import UserError

_REGISTRY = Path("outputs/registry")
_DEFAULT = f"{_REGISTRY}/orders/latest"
_FORMATS = "WAV, FLAC, MP3, OGG, OPUS, M4A or WebM, up to 30 s (minutes where the model hears segments)"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m slu.predict",
        description=__doc__,
        epilog="example: python -m slu.predict order.wav bundle=outputs/registry/orders/latest --json",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help=_FORMATS)
    parser.add_argument("--bundle", default=_DEFAULT, help=f"folder or task; also bundle=… (default {_DEFAULT})")
    parser.add_argument("--json", action="store_true", help="one JSON object per file, with the scores of every class")
    arguments = parser.parse_intermixed_args()
    # `bundle=` is how every other command spells it.
    for file in [f for f in arguments.files if f.startswith("bundle=")]:
        arguments.bundle = file.removeprefix("bundle=")
        arguments.files.remove(file)
    if not arguments.files:
        parser.error("name at least one audio file")
    return arguments


def _missing(file: str) -> str:
    key, sign, _ = file.partition("=")
    if sign and key.isidentifier():
        return "there is no such file, and no such setting: known is bundle=…"
    return "there is no such file"


@reports_errors
def main() -> None:
    arguments = _arguments()
    from slu.audio.decode import AudioError  # after parsing: --help should not wait for torch
    from slu.bundles import Predictor, load_bundle
    from slu.inference.prediction import DOUBTS
    from slu.versions.places import bundle_place

    predictor = Predictor(load_bundle(bundle_place(arguments.bundle, _REGISTRY)))
    failed = []
    for file in arguments.files:
        try:
            if not Path(file).is_file():  # a pipe would be waited for
                raise AudioError("it is no regular file" if Path(file).exists() else _missing(file))
            prediction = predictor.predict(Path(file))
        except AudioError as error:
            failed.append(f"{file}: {error}")
            if arguments.json:
                print(json.dumps({"file": file, "error": str(error)}, ensure_ascii=False), flush=True)
            continue
        if arguments.json:
            print(json.dumps({"file": file, **prediction.to_json()}, ensure_ascii=False), flush=True)
            continue
        sure = f"confidence {prediction.confidence:.2f}, " if prediction.reason in ("", *DOUBTS) else ""
        print(f"{file}: {prediction.told()} ({sure}{prediction.duration_s:.1f} s)", flush=True)
    if len(failed) > 1:
        for message in failed[:-1]:
            print(f"error: {message}", file=sys.stderr)
    if failed:
        raise UserError(failed[-1])


if __name__ == "__main__":
    main()
