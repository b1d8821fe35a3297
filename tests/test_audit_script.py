"""The look-up of known vulnerabilities, with a pip-audit that answers what a test wants."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

REQUIREMENTS = "one==1.0 \\\n    --hash=sha256:00\ntwo==2.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
CLEAN: dict[str, Any] = {"name": "one", "version": "1.0", "vulns": []}
FLAW = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"], "description": "bad"}
FLAWED = {**CLEAN, "vulns": [FLAW]}
UNKNOWN = {"name": "two", "skip_reason": "Dependency not found on PyPI and could not be audited: two (2.0)"}


def audited(folder: Path, *packages: dict[str, Any], fails: str = "", ignored: str = "") -> tuple[int, str]:
    """Exit status and what was printed."""
    answer = json.dumps({"dependencies": packages, "fixes": []})
    (folder / "pip_audit.py").write_text(f"import sys\nif {fails!r}:\n    sys.exit({fails!r})\nprint({answer!r})\n")
    (folder / "r.txt").write_text(REQUIREMENTS)
    (folder / "ignored.txt").write_text(ignored)
    result = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "audit.py"), str(folder / "r.txt"), str(folder / "ignored.txt")],
        env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.returncode, result.stdout + result.stderr


def test_what_is_clean_passes_and_says_how_much_was_looked_up(tmp_path: Path) -> None:
    status, said = audited(tmp_path, CLEAN, UNKNOWN)
    assert status == 0
    assert "audit: not known to the service: two" in said
    assert "audit: 1 packages looked up, 0 vulnerabilities, 0 ignored" in said


def test_a_vulnerability_fails(tmp_path: Path) -> None:
    status, said = audited(tmp_path, FLAWED)
    assert status == 1
    assert "audit: one 1.0: CVE-1, PYSEC-1; fixed in: 1.1" in said


@pytest.mark.parametrize("name", ["PYSEC-1", "CVE-1"])
def test_one_is_ignored_by_any_of_its_names_with_a_reason(tmp_path: Path, name: str) -> None:
    status, said = audited(tmp_path, FLAWED, ignored=f"# ours\n{name} only on Windows\nPYSEC-9 long ago\n")
    assert status == 0
    assert "0 vulnerabilities, 1 ignored" in said
    assert "PYSEC-9 is ignored, but nothing has it any more" in said
    status, said = audited(tmp_path, FLAWED, ignored=f"{name}\n")
    assert status == 1
    assert f"{name} is ignored without a reason" in said


def test_without_the_service_it_is_said_and_nothing_fails(tmp_path: Path) -> None:
    for answer in ({"fails": "requests.exceptions.ConnectionError: Max retries exceeded"}, {}):
        status, said = audited(tmp_path, UNKNOWN, **answer)  # type: ignore[arg-type]
        assert status == 0
        assert said == "audit: NOT DONE: no vulnerability service can be reached from here\n"


def test_what_else_goes_wrong_is_a_failure(tmp_path: Path) -> None:
    status, said = audited(tmp_path, fails="ERROR: invalid requirement")
    assert status == 1
    assert "error: pip-audit failed: ERROR: invalid requirement" in said
