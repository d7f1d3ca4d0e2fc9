#!/usr/bin/env bash
# Runs shellcheck over every shell file of the project, and installs it first where apt can.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v shellcheck >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends shellcheck >/dev/null
  else
    echo "shellcheck is missing: install the package 'shellcheck' of your distribution and run this again" >&2
    exit 1
  fi
fi

mapfile -t files < <(git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run)
shellcheck --external-sources "${files[@]}"
echo "shellcheck: ${#files[@]} files are clean"
