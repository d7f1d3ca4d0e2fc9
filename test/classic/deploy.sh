#!/bin/sh
# Ships by hand-written shell, faults included (root, unpinned host key, token in argv, stop-first restart, no gate, no
# migration): Slipway is compared with this; nothing in the project uses it to ship.
#
# From the environment: DIGITAL_OCEAN_IP_ADDRESS, and the private key in PRIVATE_KEY.
# Not in the original: DEPLOY_USER (root), DEPLOY_PORT (22), DEPLOY_PATH (/app), ENV_FILE (.env) and DEPLOY_COMPOSE_FILE
#   (docker-compose.prod.yml), so that a sandbox's droplet can be the target.
set -eu

target=${DEPLOY_USER:-root}@$DIGITAL_OCEAN_IP_ADDRESS
port=${DEPLOY_PORT:-22}
path=${DEPLOY_PATH:-/app}

# The original leaves the key in ~/.ssh of a container that is thrown away; this may run on somebody's own machine.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "$PRIVATE_KEY" | tr -d '\r' >"$work/key"
chmod 600 "$work/key"
set -- -i "$work/key" -o IdentitiesOnly=yes -o BatchMode=yes -o LogLevel=ERROR \
  -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null

cp "${ENV_FILE:-.env}" "$work/.env"
cp "${DEPLOY_COMPOSE_FILE:-docker-compose.prod.yml}" "$work/docker-compose.prod.yml"
# shellcheck disable=SC2029  # the path is meant to be filled in here
ssh "$@" -p "$port" "$target" "mkdir -p $path"
scp -q "$@" -P "$port" "$work/.env" "$work/docker-compose.prod.yml" "$target:$path"

# shellcheck disable=SC2087  # only $path is filled in here; what belongs to the droplet is escaped
ssh "$@" -p "$port" "$target" sh -e <<ENDSSH
  cd $path
  export \$(cat .env | xargs)
  docker login -u \$CI_REGISTRY_USER -p \$CI_JOB_TOKEN \$CI_REGISTRY
  docker pull \$WEB_IMAGE
  docker pull \$NGINX_IMAGE
  docker compose -f docker-compose.prod.yml up -d
ENDSSH
