# shellcheck shell=bash
# What keeps a server well that nobody looks after: swap, security updates, bounded journal, right time.
swap_mib=$(setting swapMib)
if [ "$swap_mib" -gt 0 ] && ! swapon --show=NAME --noheadings | grep -q .; then
  if systemd-detect-virt --quiet --container; then
    skip "swap: a container has none of its own"
  else
    fallocate -l "${swap_mib}M" /swapfile
    chmod 600 /swapfile
    mkswap -q /swapfile
    grep -q '^/swapfile ' /etc/fstab || echo '/swapfile none swap sw 0 0' >>/etc/fstab
    swapon /swapfile
  fi
fi

differs /etc/apt/apt.conf.d/20auto-upgrades <<'APT' || true
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT
systemctl enable --quiet --now apt-daily.timer apt-daily-upgrade.timer
# Where needrestart is installed it restarts whatever uses an upgraded library: not what requests go through.
if [ -d /etc/needrestart/conf.d ]; then
  differs /etc/needrestart/conf.d/slipway.conf <<'PERL' || true
$nrconf{override_rc}{qr(^(caddy|docker|containerd))} = 0;
PERL
fi

# Images that nothing uses and nobody tagged, and what builds left behind. Not while a release fetches: its images have
# no tag yet.
differs /etc/systemd/system/slipway-prune.service <<'UNIT' && changed_units=1
[Unit]
Description=Remove Docker images without a name and build caches
After=docker.service

[Service]
Type=oneshot
ExecStart=/usr/bin/flock --nonblock --conflict-exit-code 0 /run/lock/slipway-host.lock /usr/bin/docker image prune --force
ExecStart=/usr/bin/docker builder prune --force --filter until=168h
UNIT
differs /etc/systemd/system/slipway-prune.timer <<'UNIT' && changed_units=1
[Unit]
Description=Remove Docker images without a name every day

[Timer]
OnCalendar=daily
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target
UNIT
[ -z "${changed_units:-}" ] || systemctl daemon-reload
systemctl enable --quiet --now slipway-prune.timer

if differs /etc/systemd/journald.conf.d/slipway.conf <<'CONF'; then
[Journal]
SystemMaxUse=200M
CONF
  systemctl restart systemd-journald
fi

if systemd-detect-virt --quiet --container; then
  skip "time synchronisation: a container has the clock of its machine"
elif systemctl cat systemd-timesyncd >/dev/null 2>&1; then
  systemctl enable --quiet --now systemd-timesyncd
fi
