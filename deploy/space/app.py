"""A Hugging Face Space: the page, and the recogniser in the same process. scripts/make_space.py puts beside it what it
needs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slu.audio.decode import AudioError
from slu.inference.onnx_runtime import open_predictor
from slu.serving.gradio_blocks import speaking_page

(folder,) = (Path(__file__).parent / "bundle").iterdir()
predictor = open_predictor(folder)
assert predictor is not None, "make_space.py takes no bundle that needs torch"


def answer(sound: bytes, _: str) -> Mapping[str, Any]:
    try:
        return predictor.predict(sound).to_json()
    except AudioError as error:
        return {"detail": f"the audio cannot be used: {error}"}


blocks, shown = speaking_page(answer)
if __name__ == "__main__":
    blocks.launch(max_file_size="10mb", **shown)
