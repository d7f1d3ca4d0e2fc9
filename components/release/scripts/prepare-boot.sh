# shellcheck shell=bash
# Cloud-init has to be through: it holds the package lock and makes the users. Exit code 2 is a warning since 23.4.
if command -v cloud-init >/dev/null; then
  status=0
  timeout 600 cloud-init status --wait >/dev/null || status=$?
  if [ "$status" = 1 ] || [ "$status" = 124 ]; then
    cloud-init status --long || true
    echo '-- /var/log/cloud-init-output.log'
    tail -n 20 /var/log/cloud-init-output.log || true
    exit 1
  fi
fi
