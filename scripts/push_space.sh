#!/usr/bin/env bash
# Make a Hugging Face Space hold exactly what a folder holds: one commit more in its git repository, if anything differs.
#
#   scripts/push_space.sh FOLDER OWNER/NAME      HF_TOKEN: may write to that Space; SPACE_HOST: another host
set -euo pipefail
folder=$1 space=$2
: "${HF_TOKEN:?}"
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
# The token stands in no argument and in no file; git asks this function for it.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=credential.helper GIT_TERMINAL_PROMPT=0
# shellcheck disable=SC2016 # git's shell expands it
export GIT_CONFIG_VALUE_0='!f() { echo username=token; echo "password=$HF_TOKEN"; }; f'
GIT_LFS_SKIP_SMUDGE=1 git clone --quiet --depth 1 "${SPACE_HOST:-https://huggingface.co/spaces}/$space" "$clone"
find "$clone" -mindepth 1 -maxdepth 1 ! -name .git ! -name .gitattributes -exec rm -rf {} +
cp -R "$folder"/. "$clone"
git -C "$clone" add --all
if git -C "$clone" diff --cached --quiet; then
  echo "$space is up to date"
  exit 0
fi
git -C "$clone" -c user.name=deploy -c user.email=deploy@localhost commit --quiet --message "${GITHUB_REF_NAME:-by hand}"
git -C "$clone" push --quiet origin HEAD
echo "$space was updated"
