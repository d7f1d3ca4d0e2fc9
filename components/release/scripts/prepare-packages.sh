# shellcheck shell=bash
# From the distribution, and only those that are missing. Ubuntu calls the compose plugin by another name.
. /etc/os-release
case " ${ID:-} ${ID_LIKE:-} " in
  *" debian "*) ;;
  *) echo "this is ${PRETTY_NAME:-an unknown system}; Debian 12+ or Ubuntu 22.04+ is needed"; exit 1 ;;
esac
compose=docker-compose
[ "$ID" != ubuntu ] || compose=docker-compose-v2

export DEBIAN_FRONTEND=noninteractive
missing=()
for package in docker.io docker-cli "$compose" caddy curl jq rsync iproute2 procps nftables postgresql-client unattended-upgrades systemd-timesyncd; do
  # Where one package holds both daemon and client there is no docker-cli.
  if [ "$package" = docker-cli ] && command -v docker >/dev/null; then continue; fi
  # Another time daemon would be pushed out.
  if [ "$package" = systemd-timesyncd ] && { command -v chronyd || command -v ntpd; } >/dev/null; then continue; fi
  [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get -o DPkg::Lock::Timeout=300 update -qq
  apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}"
fi
docker compose version
