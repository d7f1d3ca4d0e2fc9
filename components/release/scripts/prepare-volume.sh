# shellcheck shell=bash
# The data volume: formatted once and never again, mounted by its stable id. Docker's volumes live on it, and the edge's
# certificates, so that another machine that gets the disk has them before the first request.
device=$(setting volumeDevice)
mount=/mnt/slipway-data

for _ in $(seq 60); do
  [ -e "$device" ] && break
  sleep 1
done
mkdir -p "$mount" /var/lib/docker/volumes
if [ -d "$device" ]; then
  skip "formatting the data volume: this machine gave a directory for $device"
  mountpoint -q "$mount" || mount --bind "$device" "$mount"
else
  [ -b "$(readlink -f "$device")" ] || { echo "there is no $device after 60 s"; exit 1; }
  # Only what reads as blank is formatted: no known file system is not enough to know that nothing is there.
  if ! blkid "$device" >/dev/null && cmp --silent --bytes=16777216 "$device" /dev/zero; then
    mkfs.ext4 -q -L slipway "$device"
  fi
  grep -q "^$device " /etc/fstab || echo "$device $mount ext4 defaults,nofail,discard 0 2" >>/etc/fstab
  mountpoint -q "$mount" || mount "$mount"
  resize2fs "$device" >/dev/null 2>&1 || true
fi

# bind_there DIRECTORY: what is in it moves to the disk, and the disk's directory takes its place.
bind_there() {
  local there=$mount/${2:-${1##*/}}
  mkdir -p "$there" "$1"
  rsync --archive --ignore-existing "$1/" "$there/"
  grep -q " $1 " /etc/fstab || echo "$there $1 none bind,nofail,x-systemd.requires-mounts-for=$mount 0 0" >>/etc/fstab
  mount --bind "$there" "$1"
}

# needs_mount SERVICE DIRECTORY: without it the service would begin with an empty directory when the disk comes late.
needs_mount() {
  if differs "/etc/systemd/system/$1.service.d/slipway-volume.conf" <<<$'[Unit]\nRequiresMountsFor='"$2"; then
    systemctl daemon-reload
  fi
}

needs_mount docker /var/lib/docker/volumes
if ! mountpoint -q /var/lib/docker/volumes; then
  # Volumes made before the disk was there move onto it. A container that runs on would keep the old ones.
  stopped=$(docker ps --quiet)
  # shellcheck disable=SC2086 # one word per container
  [ -z "$stopped" ] || docker stop $stopped >/dev/null
  systemctl stop docker.socket docker
  bind_there /var/lib/docker/volumes
  systemctl start docker
  # shellcheck disable=SC2086
  [ -z "$stopped" ] || docker start $stopped >/dev/null
fi

# The edge reads a certificate when it needs one, so that it can go on meanwhile.
certificates=/var/lib/caddy/.local/share/caddy
needs_mount caddy "$certificates"
if ! mountpoint -q "$certificates"; then
  bind_there "$certificates" certificates
  # The number of the user may be another one on another machine.
  chown -R caddy:caddy /var/lib/caddy/.local "$mount/certificates"
  chmod 700 "$mount/certificates"
fi
