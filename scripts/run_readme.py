"""Paste the README's commands into a shell, in order, as a newcomer would. Stops at the first that fails.

python3 scripts/run_readme.py [--brief] [command to leave out]...

--brief lets `make train` end after its first epoch, for a machine that is in a hurry.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def commands(readme: str) -> list[str]:
    """The lines of all bash blocks; a backslash at the end joins the next one."""
    blocks = re.findall(r"```bash\n(.*?)```", readme, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.strip() and not line.startswith("#")]


def main() -> None:
    left_out = set(sys.argv[1:])
    hurried = "--brief" in left_out
    for command in commands((ROOT / "README.md").read_text(encoding="utf-8")):
        if command in left_out:
            continue
        if hurried and command == "make train":
            command += " ARGS=trainer.max_epochs=1"
        print(f"\n$ {command}", flush=True)
        start = time.monotonic()
        result = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=ROOT, check=False)
        print(f"({time.monotonic() - start:.0f} s)", flush=True)
        if result.returncode:
            sys.exit(f"the README's command failed with {result.returncode}: {command}")


if __name__ == "__main__":
    main()
