# shellcheck shell=bash
# From the distribution, and only those that are missing. Ubuntu calls the compose plugin by another name.
. /etc/os-release
# Older ones have no compose v2, or no Caddy. Debian's testing has no number.
release=${VERSION_ID:-99}
case $ID in
  debian) least=13 ;;
  ubuntu) least=24 ;;
  *) least=100 ;;
esac
if [ "${release%%.*}" -lt "$least" ]; then
  echo "this is ${PRETTY_NAME:-an unknown system}; Debian 13 or Ubuntu 24.04, or a later one, is needed"
  exit 1
fi
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
