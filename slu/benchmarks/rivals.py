"""What `slu.serve` is compared with: the same bundle behind plain FastAPI, as most would write it.

torch     a bundle loaded as it is and computed by torch, one request after the other (`async def`)
threads   the same, each request on a thread of FastAPI's pool (`def`)
onnx      the same batches, runtime and threads as slu.serve: what remains is what LitServe costs, or gives
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from slu.audio.decode import AudioError, decode
from slu.inference.onnx_runtime import open_predictor
from slu.inference.prediction import Prediction
from slu.inference.predictor import Predictor

Rival = Literal["torch", "threads", "onnx"]
Answer = Callable[[Sequence[bytes]], list[Prediction | AudioError]]


def run(kind: Rival, bundle: str, port: int, max_batch: int, batch_wait_s: float) -> None:
    """Until the process is ended."""
    predictor = open_predictor(Path(bundle), os.cpu_count() or 1) if kind == "onnx" else _by_torch(Path(bundle))
    if predictor is None:
        raise ValueError(f"{bundle} needs torch")
    predictor.predict_waveforms([np.zeros(predictor.sample_rate, np.float32)])
    answer = _answering(predictor)
    app = _in_batches(answer, max_batch, batch_wait_s) if kind == "onnx" else _plain(answer, pool=kind == "threads")
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def _by_torch(bundle: Path) -> Predictor:
    import torch

    from slu.bundles import Predictor as WholePredictor
    from slu.bundles import load_bundle

    torch.set_num_threads(1)
    return WholePredictor(load_bundle(bundle))


def _answering(predictor: Predictor) -> Answer:
    def heard(data: bytes) -> np.ndarray | AudioError:
        try:
            return decode(data, predictor.sample_rate, predictor.limits)
        except AudioError as error:
            return error

    def answer(files: Sequence[bytes]) -> list[Prediction | AudioError]:
        clips = [heard(data) for data in files]
        usable = [clip for clip in clips if not isinstance(clip, AudioError)]
        found = iter(predictor.predict_waveforms(usable) if usable else [])
        return [clip if isinstance(clip, AudioError) else next(found) for clip in clips]

    return answer


def _plain(answer: Answer, *, pool: bool) -> FastAPI:
    app = FastAPI()

    @app.post("/predict")
    async def predict(request: Request) -> JSONResponse:
        files = [await request.body()]
        return _response((await run_in_threadpool(answer, files) if pool else answer(files))[0])

    return app


def _in_batches(answer: Answer, max_batch: int, wait_s: float) -> FastAPI:
    waiting: asyncio.Queue[tuple[bytes, asyncio.Future[Prediction | AudioError]]] = asyncio.Queue()

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as thread:  # beside the loop, which goes on speaking HTTP
            while True:
                batch = [await waiting.get()]
                end = loop.time() + wait_s
                while len(batch) < max_batch:
                    try:
                        left = end - loop.time()
                        batch.append(await asyncio.wait_for(waiting.get(), left) if left > 0 else waiting.get_nowait())
                    except (TimeoutError, asyncio.QueueEmpty):
                        break
                answers = await loop.run_in_executor(thread, answer, [data for data, _ in batch])
                for (_, future), result in zip(batch, answers, strict=True):
                    future.set_result(result)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        worker = asyncio.create_task(work())
        yield
        worker.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.post("/predict")
    async def predict(request: Request) -> JSONResponse:
        future: asyncio.Future[Prediction | AudioError] = asyncio.get_running_loop().create_future()
        await waiting.put((await request.body(), future))
        return _response(await future)

    return app


def _response(answer: Prediction | AudioError) -> JSONResponse:
    if isinstance(answer, AudioError):
        return JSONResponse({"detail": str(answer)}, 422)
    return JSONResponse(answer.to_json())
