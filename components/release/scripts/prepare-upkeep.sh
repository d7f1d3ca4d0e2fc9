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
