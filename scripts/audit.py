"""Look up known vulnerabilities of the pinned dependencies: python scripts/audit.py [requirements.txt] [ignored.txt]

Fails where one is found, unless .ci/ignored-vulnerabilities.txt lists it with a reason. Where the service that knows
them cannot be reached, that is said, and nothing fails: a build without a network has to pass.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_UNREACHED = ("ConnectionError", "Could not connect", "Max retries", "timed out", "Timeout", "ProxyError", "SSLError")


def main() -> None:
    requirements = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "requirements.txt")
    ignored = read_ignored(Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / ".ci" / "ignored-vulnerabilities.txt"))
    if not is_reached(requirements):
        print("audit: NOT DONE: no vulnerability service can be reached from here")
        return
    known = audit(requirements)
    if known is None:
        print("audit: NOT DONE: the vulnerability service went away")
        return
    looked_up = [package for package in known if "skip_reason" not in package]
    left_out = sorted(package["name"] for package in known if "skip_reason" in package)
    found = [(package, flaw) for package in looked_up for flaw in package["vulns"]]
    bad = [(package, flaw) for package, flaw in found if not ids(flaw) & set(ignored)]
    for package, flaw in bad:
        cure = ", ".join(flaw["fix_versions"]) or "none yet"
        print(f"audit: {package['name']} {package['version']}: {', '.join(sorted(ids(flaw)))}; fixed in: {cure}")
    for name in sorted(set(ignored) - {name for _, flaw in found for name in ids(flaw)}):
        print(f"audit: {name} is ignored, but nothing has it any more: take it off the list")
    if left_out:
        print(f"audit: not known to the service: {', '.join(left_out)}")
    print(f"audit: {len(looked_up)} packages looked up, {len(bad)} vulnerabilities, {len(found) - len(bad)} ignored")
    sys.exit(1 if bad else 0)


def read_ignored(file: Path) -> dict[str, str]:
    """Id -> reason, of lines `ID reason`; lines that start with # say something to the reader."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    entries = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    if unreasoned := [entry[0] for entry in entries if len(entry) < 2]:
        sys.exit(f"error: {file}: {unreasoned[0]} is ignored without a reason")
    return {entry[0]: entry[1] for entry in entries}


def ids(flaw: dict[str, Any]) -> set[str]:
    return {flaw["id"], *flaw["aliases"]}


def is_reached(requirements: Path) -> bool:
    """Three of the packages are asked for first: a registry without this service answers that it knows none."""
    pins = re.findall(r"^[\w.-]+==[^\s;]+(?=$| \\$)", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder:
        few = Path(folder) / "few.txt"
        few.write_text("\n".join(dict.fromkeys((pins[0], pins[len(pins) // 2], pins[-1]))) + "\n")
        known = audit(few, "--no-deps")
    return known is not None and any("skip_reason" not in package for package in known)


def audit(requirements: Path, *options: str) -> list[dict[str, Any]] | None:
    """One entry per package; None where the service cannot be reached. What else is wrong ends the script."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements), "--disable-pip", "--format=json"]
    command += ["--progress-spinner=off", *(options or ("--require-hashes",))]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return list(json.loads(result.stdout)["dependencies"])
    except (ValueError, KeyError):
        if any(sign in result.stderr for sign in _UNREACHED):
            return None
        sys.exit(f"error: pip-audit failed: {' '.join(result.stderr.split())[-500:]}")


if __name__ == "__main__":
    main()
