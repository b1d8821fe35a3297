"""What the owner's page starts: commands in processes of their own, one of a kind at a time, ended with the server."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from slu.common.errors import UserError
from slu.feedback import FEEDBACK
from slu.serving.admin.jobs import Jobs
from slu.versions.aliases import target
from tests.adaptation.helpers import new_person
from tests.conftest import ROOT
from tests.feedback.helpers import make_store
from tests.retraining.helpers import correct, live, registry_of
from tests.serving.admin_helpers import PASSWORD, Place
from tests.serving.helpers import running
from tests.serving.test_promotion import until
from tests.versions.helpers import TASK, damage

FOREVER = ("http.server", ["0", "--bind", "127.0.0.1"])
"""A module that goes on until it is stopped, and its arguments."""


def test_an_alias_moves_and_the_running_server_follows(owner: Place) -> None:
    one, _, three = owner.versions

    def live() -> list[str]:
        return owner.get("versions").json()["answers"]

    (task,) = owner.get("versions").json()["tasks"]
    assert (task["live"], task["promoted"], task["can_roll_back"]) == (three, False, False)
    assert [version["objective"] for version in task["versions"]] == ["0.030", "0.020", "0.010"]
    why = "it's {better}, in noise: a=b"
    job = owner.done("promote", {"task": TASK, "version": one, "why": why}, "move")
    assert job["sentence"] == f"{TASK}: {one} is live; before, {three} answered"
    assert target(owner.root / TASK, "live") == one
    until(lambda: live() == [one])
    (task,) = owner.get("versions").json()["tasks"]
    assert (task["history"][0]["why"], task["can_roll_back"], task["follows"]) == (why, True, [one])
    damage(owner.root, three)
    job = owner.done("rollback", {"task": TASK}, "move")
    assert job["state"] == "failed"
    assert "model.safetensors is not what was stored" in job["sentence"]
    assert live() == [one]
    for body in ({"task": TASK, "version": "../../x"}, {"task": "x", "version": one}):
        assert owner.post("promote", body).status_code == 404
    assert owner.post("promote", {"task": TASK, "version": one, "why": "${oc.env:HOME}"}).status_code == 422
    assert owner.post("rollback", {"task": "../x"}).status_code == 404


def test_a_retraining_says_what_is_missing_one_at_a_time(owner: Place) -> None:
    assert owner.get("retrain").json()["hindered"] == ""
    assert owner.post("retrain", {"task": "x"}).status_code == 404
    assert owner.post("retrain", {"task": TASK, "corrections": 0}).status_code == 422
    first = owner.post("retrain", {"task": TASK, "corrections": 7, "dry_run": True})
    assert first.json()["state"] == "running"
    busy = owner.post("check", {})
    assert (busy.status_code, "retrain goes on" in busy.json()["detail"]) == (409, True)
    until(lambda: owner.get("jobs").json()["work"]["state"] != "running", 90)
    job = owner.get("jobs").json()["work"]
    assert "of 7 new corrections are there; nothing to do yet" in job["sentence"], job
    measured = owner.done("check", {})
    assert (measured["state"], "recordings measured" in measured["sentence"]) == ("done", True)
    assert all(row.snr_db is not None for row in owner.store.rows(FEEDBACK.c.id < 4))


def test_what_has_changed_at_work_is_read_from_the_log(owner: Place) -> None:
    assert owner.get("monitor").json() == {"hindered": "", "last": None}
    job = owner.done("monitor", {"reference_days": 2})
    assert job["state"] == "done", job
    last = owner.get("monitor").json()["last"]
    (alert,) = last["alerts"]
    assert alert["kind"] == "drift level_db"
    (level,) = [
        change
        for window in last["windows"]
        for change in window["changes"]
        if (window["start"], change["name"]) == ("2026-01-04", "level_db")
    ]
    assert level["drifted"]
    assert level["distance"]["ks"] > 0.5
    report = owner.get(f"monitor/{last['run']}/report")
    assert report.text.startswith("<!")
    assert report.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    (owner.store.outputs / "runs" / "report.html").write_text("not to be seen")
    (owner.store.outputs / "retrain" / TASK).mkdir(parents=True, exist_ok=True)
    (owner.store.outputs / "retrain" / "decision.html").write_text("not to be seen")
    for name in ("..", "%2e%2e", "..%2f..", "nothing", f"..%2fmonitor%2f{last['run']}"):
        assert owner.get(f"monitor/{name}/report").status_code == 404, name
        assert owner.get(f"retrain/{TASK}/{name}/decision").status_code == 404, name


@pytest.mark.slow
def test_a_retraining_goes_from_corrections_to_the_version_that_answers(tones: Path, tmp_path: Path) -> None:
    registry, clips = registry_of(tones, tmp_path), new_person(tmp_path / "new", 32)
    champion, store = live(registry).name, make_store(tmp_path / "out")
    correct(store, registry, clips, tmp_path / "out")
    further = (f"test={tones}", f"replay.manifest={tones}", "adapt.steps=80", "adapt.batch_size=16", "adapt.lr=3e-3",
               "gate.max_latency_ratio=5", "gate.min_accuracy=0.8", "conditions.noise_snr_db=[10]",
               "gate.max_drop=0.15", "gate.min_macro_f1=0.8")  # fmt: skip
    with running(
        tmp_path, f"admin_password='{PASSWORD}'", f"admin_retrain=[{', '.join(map(repr, further))}]"
    ) as server:
        owner = Place(server, store, [champion])
        ids = [row["id"] for row in owner.get("corrections", params={"size": 100}).json()["rows"]]
        assert owner.post("corrections/accept", {"ids": ids}).status_code == 200
        job = owner.done("retrain", {"task": "tones"}, limit_s=240)
        assert job["sentence"] == f"promoted {live(registry).name}", job
        assert any(line.startswith(f"retraining {champion} on ") for line in job["lines"])
        (decision,) = owner.get("retrain").json()["decisions"]
        assert (decision["passed"], decision["version"]) == (True, live(registry).name)
        page = owner.get(f"retrain/tones/{decision['name']}/decision")
        assert "Every check" in page.text
        assert page.headers["content-security-policy"].startswith("sandbox;")
        until(lambda: owner.get("versions").json()["answers"] == [live(registry).name])
        assert live(registry).name != champion


def test_a_command_is_stopped_and_another_one_waits_for_it() -> None:
    jobs = Jobs()
    with pytest.raises(UserError, match="nothing goes on"):
        jobs.stop("work")
    job = jobs.start("retrain", *FOREVER, place="work")
    until(lambda: bool(job.lines))
    assert job.lines[0].startswith("Serving HTTP")
    with pytest.raises(UserError, match="retrain goes on"):
        jobs.start("check", *FOREVER, place="work")
    jobs.stop("work")
    until(lambda: job.ended is not None)
    assert jobs.to_json()["work"]["state"] == "stopped"
    failed = jobs.start("retrain", "slu.no_such_command", [], place="work")
    until(lambda: failed.ended is not None)
    told = jobs.to_json()["work"]
    assert (told["state"], "No module named slu.no_such_command" in told["sentence"]) == ("failed", True)


def test_a_command_ends_with_the_server_however_that_ends(tmp_path: Path) -> None:
    script = f"""
import time
from slu.serving.admin.jobs import Jobs
print(Jobs().start("retrain", *{FOREVER!r}, place="work").process.pid, flush=True)
time.sleep(60)
"""
    server = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert server.stdout is not None
    command = int(server.stdout.readline())
    os.kill(command, 0)
    server.send_signal(signal.SIGKILL)
    server.communicate(timeout=30)
    until(lambda: not Path(f"/proc/{command}").exists())
