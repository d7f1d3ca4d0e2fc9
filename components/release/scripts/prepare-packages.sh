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

wanted=(caddy curl jq rsync iproute2 procps nftables postgresql-client unattended-upgrades)
# A server that has Docker from elsewhere keeps it.
docker compose version >/dev/null 2>&1 || wanted+=(docker.io docker-cli "$compose")
# Another time daemon would be pushed out.
command -v chronyd >/dev/null || command -v ntpd >/dev/null || wanted+=(systemd-timesyncd)

export DEBIAN_FRONTEND=noninteractive
missing=()
for package in "${wanted[@]}"; do
  [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get -o DPkg::Lock::Timeout=300 update -qq
  # Ubuntu does not split the client off.
  if ! apt-cache show docker-cli >/dev/null 2>&1; then
    mapfile -t missing < <(printf '%s\n' "${missing[@]}" | grep -vx docker-cli)
  fi
  apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends --no-remove "${missing[@]}"
fi
docker compose version
