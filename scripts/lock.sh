#!/usr/bin/env bash
# Pin every dependency with hashes, without naming a package index.
# hydra-optuna-sweeper 1.3.0 asks for optuna<3, whose storage fails with today's SQLAlchemy; it runs on 4.9.
# num2words needs docopt, which has no wheel, for its command line only.
set -euo pipefail
uv=$1
export CUSTOM_COMPILE_COMMAND="make lock"
override=$(mktemp)
trap 'rm -f "$override"' EXIT
printf '%s\n' "optuna==4.9.*" "docopt ; python_version < '3'" >"$override"
compile() {
  "$uv" pip compile pyproject.toml --group dev --python-version 3.11 --universal --override "$override" \
    --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet "$@"
}
compile --output-file requirements.txt
skip=()
for package in torch torchaudio triton $(grep -oE '^(nvidia|cuda)-[a-z0-9-]+' requirements.txt); do
  skip+=(--no-emit-package "$package")
done
compile --output-file requirements-cpu.txt "${skip[@]}"
"$uv" pip compile --group serve --constraint requirements.txt --python-version 3.11 --universal --generate-hashes \
  --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements-serve.txt
echo "uv" | "$uv" pip compile - --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet \
  --output-file requirements-uv.txt
