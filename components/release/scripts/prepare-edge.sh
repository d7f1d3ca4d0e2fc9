# shellcheck shell=bash
# Caddy under systemd, with one site file per app.
mkdir -p /etc/caddy/slipway
install -d -m 750 -o caddy -g caddy /var/log/caddy
# Without it a reload under load can reset connections that the old listener had queued.
if [ -e /proc/sys/net/ipv4/tcp_migrate_req ]; then
  differs /etc/sysctl.d/60-slipway.conf <<<'net.ipv4.tcp_migrate_req = 1' || true
  sysctl -q -w net.ipv4.tcp_migrate_req=1 2>/dev/null || [ "$(cat /proc/sys/net/ipv4/tcp_migrate_req)" = 1 ] ||
    skip "net.ipv4.tcp_migrate_req: read-only here"
fi
# A Caddyfile that is neither the package's nor ours belongs to somebody.
if ! grep -q '^import /etc/caddy/slipway/' /etc/caddy/Caddyfile && dpkg --verify caddy | grep -q ' /etc/caddy/Caddyfile$'; then
  echo "/etc/caddy/Caddyfile was changed by hand, and the edge needs it: move its sites to files under /etc/caddy/slipway/ that end in .caddy, then: apt-get install --reinstall -o Dpkg::Options::=--force-confnew caddy"
  exit 1
fi
# The package starts it with a file of its own, which asks for port 80; where another has that, it has failed by now.
systemctl enable --quiet caddy
if differs /etc/caddy/Caddyfile <"$payload/Caddyfile"; then
  # A reload goes to the address of the new file: it drops nothing, where the running edge has that already.
  systemctl reload caddy 2>/dev/null || systemctl restart caddy
fi
systemctl start caddy
