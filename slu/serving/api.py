"""What a worker does: decode, hear, answer. Errors are values, so that one bad file costs its neighbours nothing."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import litserve as ls
from fastapi import Depends, Request
from fastapi.responses import JSONResponse, Response

from slu.common.errors import UserError
from slu.serving.facts import as_header, heard_facts
from slu.serving.job import Job
from slu.serving.line import LineLoop
from slu.serving.models import Board, Live, Models
from slu.serving.seats import Seats
from slu.serving.settings import ServeSettings

_LOG = logging.getLogger(__name__)
_MOST_SAMPLES = 12_000_000
"""Of a file: 30 s of two channels at 192 kHz, or of eight at 48 kHz."""
_TOGETHER = 2
"""All files of a request may come to so many of the longest, in seconds and in samples."""
REQUEST_ID, VERSION = "X-Request-ID", "X-Model-Version"


@dataclass(frozen=True)
class Refused:
    status: int
    detail: str


@dataclass(frozen=True)
class Audio:
    """Of one file: samples at the rate of the recogniser asked for."""

    samples: Any
    features: Any
    timings_ms: Mapping[str, float]
    facts: Mapping[str, float]
    """For the log."""


Decoded: TypeAlias = tuple[Job, Any, list[Audio | Refused]] | tuple[Job, None, Refused]
"""With the Predictor that is asked: a promotion in the meantime changes nothing for this request."""


def speech_api(
    read_job: Callable[[Request], Awaitable[Job]],
    places: Sequence[Path],
    settings: ServeSettings,
    board: Board,
    seats: Seats,
) -> ls.LitAPI:
    """Answers with the bundles of these places, which are loaded in the worker."""
    api = SpeechAPI(max_batch_size=settings.max_batch, batch_timeout=settings.batch_wait_s, loop=LineLoop())
    api.places, api.settings, api.board, api.seats = [str(place) for place in places], settings, board, seats
    # LitServe reads the type of a request from here: a dependency of FastAPI, which gives the job.
    SpeechAPI.decode_request.__annotations__["request"] = Annotated[Job, Depends(read_job)]
    return api


class SpeechAPI(ls.LitAPI):  # type: ignore[misc]
    places: list[str]
    settings: ServeSettings
    board: Board
    seats: Seats

    def setup(self, device: str) -> None:
        try:
            self.models = Models([Path(place) for place in self.places], self.settings, self.board)
        except UserError as error:
            self.board.write(Live({}, {}, failed=str(error)))
            logging.getLogger("litserve").setLevel(logging.CRITICAL)  # the server itself says it, in one sentence
            raise
        self.models.follow()

    def decode_request(self, request):  # type: ignore[no-untyped-def]
        return self._decoded(request)

    def _decoded(self, job: Job) -> Decoded:
        if self.seats.abandoned(job.seat):
            return job, None, Refused(499, "nobody waits for it any more")
        predictor = (
            self.models.named(job.model) if job.model else self.models.of_task(job.task or self.settings.task or "")
        )
        if predictor is None:
            return job, None, Refused(404, "no model here has that version or task; GET /models lists them")
        files: list[Audio | Refused] = []
        longest = min(self.settings.max_duration_s, predictor.limits.max_duration_s)
        left_s, samples = _TOGETHER * longest, _TOGETHER * _MOST_SAMPLES // max(_TOGETHER, len(job.files))
        for data in job.files:
            if left_s <= 0:
                files.append(Refused(413, f"the files before it last {_TOGETHER * longest:g} s, and more is not heard"))
                continue
            files.append(self._audio(data, predictor, min(longest, left_s), samples))
            if isinstance(files[-1], Audio):
                left_s -= len(files[-1].samples) / predictor.sample_rate
        return job, predictor, files

    def _audio(self, data: bytes, predictor: Any, seconds: float, samples: int) -> Audio | Refused:
        from slu.audio.decode import AudioError, AudioLimits, decode

        start = time.perf_counter()
        try:
            wave = decode(data, predictor.sample_rate, AudioLimits(seconds, max_samples=samples))
        except AudioError as error:
            return Refused(422, f"the audio cannot be used: {error}")
        except Exception:  # of a decoder that met what nobody thought of: it is the file's fault, and nobody else's
            _LOG.exception("the decoder failed on %d bytes", len(data))
            return Refused(422, "the audio cannot be used: it cannot be decoded")
        decoded = time.perf_counter()
        try:
            features = predictor.features(wave)
        except Exception:
            _LOG.exception("the front end failed on a clip of %d samples", len(wave))
            return Refused(500, "the recogniser failed on this audio")
        timings = {"decode": 1e3 * (decoded - start), "features": 1e3 * (time.perf_counter() - decoded)}
        return Audio(wave, features, timings, heard_facts(wave, predictor.sample_rate, features))

    def predict(self, jobs: list[Decoded]) -> list[Any]:
        """The files of all requests that ask for one model are heard together."""
        answers: list[list[Any]] = [[None] * len(job.files) for job, _, _ in jobs]
        timings = [0.0] * len(jobs)
        for predictor in {id(asked): asked for _, asked, _ in jobs if asked is not None}.values():
            places = [
                (number, place, file)
                for number, (_, asked, files) in enumerate(jobs)
                if asked is predictor and not isinstance(files, Refused)
                for place, file in enumerate(files)
                if isinstance(file, Audio)
            ]
            start = time.perf_counter()
            heard = _heard(predictor, [file for _, _, file in places])
            spent = 1e3 * (time.perf_counter() - start) / max(1, len(places))
            for (number, place, _), answer in zip(places, heard, strict=True):
                answers[number][place] = answer
                timings[number] += spent
        return [(*job, answer, spent) for job, answer, spent in zip(jobs, answers, timings, strict=True)]

    def encode_response(self, output) -> Response:  # type: ignore[no-untyped-def]
        job, predictor, files, answers, spent = output
        if isinstance(files, Refused):
            return _refusal(job, files)
        results = [
            _result(job, name, file, answer, spent / len(files))
            for name, file, answer in zip(job.file_ids, files, answers, strict=True)
        ]
        if not job.many and "error" in results[0]:
            return _refusal(job, files[0] if isinstance(files[0], Refused) else answers[0])
        content = {"results": results, "request_id": job.request_id} if job.many else results[0]
        facts = as_header([file.facts if isinstance(file, Audio) else {} for file in files])
        return JSONResponse(content, headers={REQUEST_ID: job.request_id, VERSION: predictor.version, **facts})


def _result(job: Job, name: str, file: Audio | Refused, answer: Any, spent: float) -> dict[str, Any]:
    if isinstance(file, Refused):
        return {"error": file.detail}
    if isinstance(answer, Refused):
        return {"error": answer.detail}
    waited = 1e3 * (time.monotonic() - job.received)
    timings = {**file.timings_ms, "recognise": spent, "all": waited}
    return {
        **answer.to_json(),
        "request_id": name,
        "timings_ms": {name: round(value, 2) for name, value in timings.items()},
    }


def _refusal(job: Job, refused: Refused) -> JSONResponse:
    content = {"detail": refused.detail, "request_id": job.request_id}
    return JSONResponse(content, refused.status, headers={REQUEST_ID: job.request_id})


def _heard(predictor: Any, clips: list[Audio]) -> list[Any]:
    def hear(some: list[Audio]) -> list[Any]:
        return list(predictor.predict_waveforms([one.samples for one in some], [one.features for one in some]))

    try:
        return hear(clips) if clips else []
    except Exception:  # one by one, so that only the clip that does it is lost
        heard: list[Any] = []
        for clip in clips:
            try:
                heard += hear([clip])
            except Exception:
                _LOG.exception("the recogniser failed on a clip of %d samples", len(clip.samples))
                heard.append(Refused(500, "the recogniser failed on this audio"))
        return heard
