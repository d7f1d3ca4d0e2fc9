# shellcheck shell=bash
# Bounded container logs, and containers that outlive a restart of the daemon (an upgrade of the package is one). What
# a server has set before stays and wins.
ours='{"log-driver": "local", "log-opts": {"max-size": "20m", "max-file": "3"}, "live-restore": true}'
theirs=$(cat /etc/docker/daemon.json 2>/dev/null || echo '{}')
if jq --null-input --argjson ours "$ours" --argjson theirs "$theirs" '$ours + $theirs' | differs /etc/docker/daemon.json; then
  # From the reload on live-restore holds, also for the restart.
  systemctl reload docker 2>/dev/null || true
  systemctl try-restart docker
fi
systemctl enable --quiet --now docker
docker info --format 'Docker {{.ServerVersion}}'
# What was stopped so that its volumes could move.
# shellcheck disable=SC2086 # one word per container
[ -z "${stopped_for_volume:-}" ] || docker start $stopped_for_volume >/dev/null
