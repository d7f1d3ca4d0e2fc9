# shellcheck shell=bash
# Bounded container logs, and containers that outlive a restart of the daemon (an upgrade of the package is one). What
# a server has set before stays and wins.
ours='{"log-driver": "local", "log-opts": {"max-size": "20m", "max-file": "3"}, "live-restore": true}'
theirs=$(cat /etc/docker/daemon.json 2>/dev/null || echo '{}')
if jq --null-input --argjson ours "$ours" --argjson theirs "$theirs" '$ours + $theirs' | differs /etc/docker/daemon.json; then
  # From the reload on live-restore holds, also for the restart.
  systemctl reload docker 2>/dev/null || true
  # It keeps containers running, but who is published on a port refuses connections for half a second meanwhile.
  published=$({ docker ps --format '{{.Names}} {{.Ports}}' 2>/dev/null || true; } | sed -nE 's/^([^ ]+) .*(0\.0\.0\.0|\[?::\]?):[0-9]+->.*/\1/p' | paste -sd ' ')
  if [ -n "$published" ]; then
    skip "restarting Docker, because $published would refuse connections meanwhile: the limits of its logs hold from its next start"
  else
    systemctl try-restart docker
  fi
fi
systemctl enable --quiet --now docker
docker info --format 'Docker {{.ServerVersion}}'
