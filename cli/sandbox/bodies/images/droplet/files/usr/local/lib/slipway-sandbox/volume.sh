#!/bin/sh
# Block volumes of the droplet: the device and its stable name, made again after a reboot.
# usage: volume.sh start | volume.sh attach NAME LOOP_NUMBER | volume.sh detach NAME
set -eu
list=/etc/slipway-sandbox/volumes
touch "$list"

appear() {
  [ -b "/dev/loop$2" ] || mknod -m 660 "/dev/loop$2" b 7 "$2"
  mkdir -p /dev/disk/by-id
  ln -sfn "../../loop$2" "/dev/disk/by-id/scsi-0DO_Volume_$1"
}

case $1 in
start)
  while read -r name number; do appear "$name" "$number"; done <"$list"
  # In a container systemd skips the devices of fstab.
  [ ! -s "$list" ] || mount --all || true
  ;;
attach)
  echo "$2 $3" >>"$list"
  appear "$2" "$3"
  ;;
detach)
  link=/dev/disk/by-id/scsi-0DO_Volume_$2
  if [ -e "$link" ]; then
    device=$(readlink -f "$link")
    umount --lazy --all-targets "$device" 2>/dev/null || true
    rm -f "$link" "$device"
  fi
  sed -i "/^$2 /d" "$list"
  ;;
esac
