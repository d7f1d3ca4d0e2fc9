# shellcheck shell=bash
# The data volume: formatted once and never again, mounted by its stable id. Docker's volumes live on it.
device=$(setting volumeDevice)
if [ -n "$device" ]; then
  for _ in $(seq 60); do
    [ -e "$device" ] && break
    sleep 1
  done
  mount=/mnt/slipway-data
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
  mkdir -p "$mount/volumes"
  # Without it Docker would begin with empty volumes when the disk comes late.
  if differs /etc/systemd/system/docker.service.d/slipway-volume.conf <<<$'[Unit]\nRequiresMountsFor=/var/lib/docker/volumes'; then
    systemctl daemon-reload
  fi
  if ! mountpoint -q /var/lib/docker/volumes; then
    # Volumes made before the disk was there move onto it. A container that runs on would keep the old ones.
    stopped_for_volume=$(docker ps --quiet 2>/dev/null || true)
    # shellcheck disable=SC2086 # one word per container
    [ -z "$stopped_for_volume" ] || docker stop $stopped_for_volume >/dev/null
    systemctl stop docker.socket docker 2>/dev/null || true
    rsync --archive --ignore-existing /var/lib/docker/volumes/ "$mount/volumes/"
    grep -q ' /var/lib/docker/volumes ' /etc/fstab ||
      echo "$mount/volumes /var/lib/docker/volumes none bind,nofail,x-systemd.requires-mounts-for=$mount 0 0" >>/etc/fstab
    mount --bind "$mount/volumes" /var/lib/docker/volumes
  fi
fi
