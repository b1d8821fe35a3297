#!/usr/bin/env bash
# Make a virtual environment with a Python that the project supports; say what to install where there is none.
set -euo pipefail
venv=$1
[ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1 && exit 0
for python in ${PYTHON_BIN:-python3 python3.11 python3.12 python3.13}; do
  if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    "$python" -m venv --clear "$venv" >/dev/null 2>&1 && exit 0
    rm -rf "$venv"
    missing_venv=$python
  fi
done
if [ -n "${missing_venv:-}" ]; then
  echo "error: $missing_venv cannot make virtual environments; on Debian: sudo apt-get install python3-venv" >&2
else
  echo "error: no Python 3.11, 3.12 or 3.13 found; on Debian: sudo apt-get install python3 python3-venv" >&2
fi
exit 2
