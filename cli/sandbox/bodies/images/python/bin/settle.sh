#!/bin/sh
# Python where the official image has it: everything under /usr/local, and pip installs there without asking.
set -eu
python3 -m venv --system-site-packages /usr/local
cd /usr/local/bin
rm -f activate activate.* Activate.ps1
# Dockerfiles copy site-packages by the version that their FROM line names.
for version in 8 9 10 11 12 14; do ln -s python3.13 "/usr/local/lib/python3.$version"; done
for name in apk adduser addgroup; do mv "/usr/local/sbin/$name.sh" "/usr/local/sbin/$name"; done
