#!/bin/sh
# Block volumes of the droplet: the device and its stable name, made again after a reboot.
# usage: volume.sh start | volume.sh attach NAME LOOP_NUMBER | volume.sh attach NAME DIRECTORY | volume.sh detach NAME
set -eu
list=/etc/slipway-sandbox/volumes
touch "$list"

appear() {
  case $2 in
    /*) target=$2 && mkdir -p "$target" ;;
    *)
      target=/dev/loop$2
      [ -b "$target" ] || mknod -m 660 "$target" b 7 "$2"
      # Loop numbers are the machine's: after its own reboot this one may be somebody else's disk.
      [ "$(disk "$target")" = "${3:-$(disk "$target")}" ] || return 0
      ;;
  esac
  mkdir -p /dev/disk/by-id
  ln -sfn "$target" "/dev/disk/by-id/scsi-0DO_Volume_$1"
}

disk() {
  losetup --noheadings --output BACK-INO "$1" | tr -d ' '
}

case $1 in
start)
  while read -r name target inode; do appear "$name" "$target" "$inode"; done <"$list"
  # In a container systemd skips the devices of fstab.
  [ ! -s "$list" ] || mount --all || true
  ;;
attach)
  appear "$2" "$3"
  inode=
  case $3 in
    /*) ;;
    *) inode=$(disk "/dev/loop$3") ;;
  esac
  echo "$2 $3 $inode" >>"$list"
  ;;
detach)
  link=/dev/disk/by-id/scsi-0DO_Volume_$2
  if [ -b "$link" ]; then
    device=$(readlink -f "$link")
    # A disk that is taken away takes its users along. Here they share the machine's kernel and would keep its locks.
    case $(findmnt --noheadings --output SOURCE --target /var/lib/docker/volumes) in
      "$device"*) systemctl stop docker.socket docker || true ;;
    esac
    umount --lazy --all-targets "$device" 2>/dev/null || true
    rm -f "$device"
  fi
  rm -f "$link"
  sed -i "/^$2 /d" "$list"
  ;;
esac
