"""What runs the server elsewhere: the Dockerfile, compose, Prometheus, systemd and Kubernetes, without any of them."""

import configparser
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_dir

from scripts.dockerfile import read_dockerfile
from slu.monitoring.rules import rules
from slu.monitoring.settings import AlertSettings
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
STAGES = read_dockerfile((ROOT / "Dockerfile").read_text(encoding="utf-8"))
BASE = dict(STAGES["base"].steps)
USER = BASE["USER"].split(":")[0]


def document(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return found


def test_the_last_stage_is_small_and_nobodys_root() -> None:
    assert list(STAGES) == ["build", "base", "with-bundle", "server"]
    assert STAGES["server"].base == STAGES["with-bundle"].base == "base"
    assert int(USER) > 0
    assert re.search(r"^torch==", (ROOT / "requirements-serve.txt").read_text(), re.MULTILINE) is None
    runs = [rest for stage in STAGES.values() for word, rest in stage.steps if word == "RUN"]
    assert any("--require-hashes" in run for run in runs)
    assert all("apt-get" not in run and "sudo" not in run for run in runs)
    tag = next(line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("ARG PYTHON="))
    assert re.fullmatch(r"ARG PYTHON=3\.11\.\d+-slim-\w+(@sha256:[0-9a-f]{64})?", tag)
    assert "/health" in BASE["HEALTHCHECK"]
    assert json.loads(BASE["ENTRYPOINT"])[:3] == ["python", "-m", "slu.serve"]


def test_an_image_with_a_bundle_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    copy, set_variable = (rest for word, rest in STAGES["with-bundle"].steps if word != "ARG")
    name, _, place = set_variable.partition("=")
    assert copy.split()[1] == place

    def served() -> Any:
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            return compose("serve").bundle

    monkeypatch.delenv(name, raising=False)
    assert served() is None
    monkeypatch.setenv(name, "/opt/registry/orders/1")
    assert served() == "/opt/registry/orders/1"


def test_hadolint_has_nothing_to_say(tmp_path: Path) -> None:
    command = [tool("hadolint"), "--failure-threshold", "style"]
    (tmp_path / "bad").write_text("FROM python\nRUN pip install numpy\nRUN cd /tmp && sudo ls\n")
    assert subprocess.run([*command, tmp_path / "bad"], capture_output=True, check=False).returncode == 1
    done = subprocess.run([*command, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_compose_starts_what_the_dockerfile_makes() -> None:
    services = document("compose.yaml")["services"]
    server = services["server"]
    assert (DEPLOY / server["build"] / "Dockerfile").is_file()
    assert server["read_only"]
    assert server["cap_drop"] == ["ALL"]
    assert any(volume.endswith(":/data/registry:ro") for volume in server["volumes"])
    assert "outputs=/data" in json.loads(BASE["ENTRYPOINT"])
    (feedback,) = server["command"]
    assert feedback == f"feedback=postgresql://{services['postgres']['environment']['POSTGRES_USER']}@postgres/slu"
    for service in services.values():
        assert re.search(r":v?\d+\.\d+", service.get("image", "")) or "build" in service, "an exact version"
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), "for this machine alone"
    mounted = {volume.split(":")[0] for volume in services["prometheus"]["volumes"] if volume.startswith("./")}
    assert all((DEPLOY / name).is_file() for name in mounted)


def test_prometheus_asks_the_server_and_has_the_rules_of_the_monitor() -> None:
    prometheus = document("prometheus.yml")
    (job,) = prometheus["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["server:8000"]}]
    assert prometheus["rule_files"] == ["slu_rules.yml"]
    assert document("slu_rules.yml") == rules(AlertSettings(), None), "write them again: python -m slu.monitor rules="


def test_promtool_accepts_them() -> None:
    done = subprocess.run(
        [tool("promtool"), "check", "config", DEPLOY / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "5 rules found" in done.stdout


def test_kubernetes_replaces_servers_one_by_one_and_gives_them_no_rights() -> None:
    deployment, service = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8"))
    spec = deployment["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    pod = spec["template"]["spec"]
    (server,) = pod["containers"]
    assert pod["securityContext"]["runAsUser"] == int(USER)
    assert server["securityContext"]["readOnlyRootFilesystem"]
    assert {"cpu", "memory"} == set(server["resources"]["requests"]) == set(server["resources"]["limits"])
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert server[name]["httpGet"] == {"path": "/health", "port": server["ports"][0]["name"]}
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"]: mount["mountPath"] for mount in server["volumeMounts"]} == {"data": "/data", "tmp": "/tmp"}
    assert volumes == {"data", "tmp"}
    assert service["spec"]["selector"].items() <= spec["template"]["metadata"]["labels"].items()
    assert service["spec"]["ports"][0]["targetPort"] == server["ports"][0]["name"]
    assert service["spec"]["sessionAffinity"] == "ClientIP"


def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "slu.service").read_text(encoding="utf-8")
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    command = unit["Service"]["ExecStart"].split()
    assert command[1:3] == ["-m", "slu.serve"]
    assert f"outputs=/var/lib/{unit['Service']['StateDirectory']}" in command
    analyze = tool("systemd-analyze")
    here = tmp_path / "slu.service"  # with a Python that is there: whether it is, is asked, too
    here.write_text(text.replace(command[0], sys.executable))
    done = subprocess.run([analyze, "verify", "--man=no", here], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "slu.service" not in done.stderr, "unknown keys are only warned of"
