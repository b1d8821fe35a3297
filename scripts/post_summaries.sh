#!/usr/bin/env bash
# Every summary.md below a folder, as one comment on a pull request and on the page of the run.
#
#   scripts/post_summaries.sh FOLDER      PULL_REQUEST is its number; without one, only the page of the run is written
set -euo pipefail
folder=$1
body=$(mktemp)
trap 'rm -f "$body"' EXIT
mapfile -t summaries < <(find "$folder" -name summary.md | sort)
if [ ${#summaries[@]} -eq 0 ]; then
  echo "error: no summary.md below $folder" >&2
  exit 2
fi
{
  echo "## What was trained, beside what answers today"
  for summary in "${summaries[@]}"; do
    name=${summary#"$folder"/}
    printf '\n**%s**\n\n' "${name%%/*}"
    cat "$summary"
  done
} >"$body"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$body" >>"$GITHUB_STEP_SUMMARY"
if [ -n "${PULL_REQUEST:-}" ]; then
  gh pr comment "$PULL_REQUEST" --body-file "$body" --edit-last --create-if-none
fi
echo "${#summaries[@]} summaries"
