# shellcheck shell=bash
# The metadata address hands the user data, and with it the host key, to whoever asks. Root may, for cloud-init;
# containers and other users may not. A table of its own, so that Docker's rules do not matter.
if differs /etc/slipway/metadata.nft <<'NFT'; then
table inet slipway_metadata
delete table inet slipway_metadata
table inet slipway_metadata {
  chain containers {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 169.254.169.254 drop
  }
  chain users {
    type filter hook output priority filter; policy accept;
    ip daddr 169.254.169.254 meta skuid != 0 reject
  }
}
NFT
  changed=1
fi
if differs /etc/systemd/system/slipway-metadata.service <<'UNIT'; then
[Unit]
Description=Close the metadata address to containers and users
Before=docker.service
DefaultDependencies=no
After=local-fs.target nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/slipway/metadata.nft

[Install]
WantedBy=multi-user.target
UNIT
  changed=1
fi
# Looked at as it is: an earlier run may have written the files and failed.
systemctl daemon-reload
systemctl enable --quiet slipway-metadata.service
if [ -n "${changed:-}" ] || ! nft list table inet slipway_metadata >/dev/null 2>&1; then
  systemctl restart slipway-metadata.service
fi
