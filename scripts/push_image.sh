#!/usr/bin/env bash
# Push an image that was built, under its own name and as latest.
#
#   scripts/push_image.sh ghcr.io/OWNER/NAME:TAG      REGISTRY_USER, REGISTRY_TOKEN: who may
set -euo pipefail
image=$1
: "${REGISTRY_USER:?} ${REGISTRY_TOKEN:?}"
docker login "${image%%/*}" --username "$REGISTRY_USER" --password-stdin <<<"$REGISTRY_TOKEN"
trap 'docker logout "${image%%/*}"' EXIT
docker push "$image"
docker tag "$image" "${image%:*}:latest"
docker push "${image%:*}:latest"
