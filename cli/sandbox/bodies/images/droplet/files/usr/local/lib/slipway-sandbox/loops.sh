#!/bin/sh
# Loop devices over the disks of block volumes, run in a helper container.
# usage: loops.sh make FILE SIZE | loops.sh attach FILE | loops.sh free FILE...
set -eu

node() {
  [ -b "/dev/loop$1" ] || mknod -m 660 "/dev/loop$1" b 7 "$1"
}

# A disk is known by device and inode: its path is another one in every container.
users() {
  for entry in /sys/block/loop*/loop; do
    [ -e "$entry/backing_file" ] || continue
    number=${entry#/sys/block/loop}
    number=${number%/loop}
    node "$number"
    if [ "$(losetup --noheadings --output BACK-INO "/dev/loop$number" | tr -d ' ')" = "$(stat -c %i "$1")" ] \
      && [ "$(losetup --noheadings --output BACK-MAJ:MIN "/dev/loop$number" | tr -d ' ')" = "$(stat -c %Hd:%Ld "$1")" ]; then
      echo "$number"
    fi
  done
}

case $1 in
make)
  [ -e "$2" ] || truncate -s "$3" "$2"
  ;;
attach)
  number=$(users "$2" | head -n 1)
  attempt=0
  while [ -z "$number" ]; do
    # losetup says "(lost)" after a device whose node is not there yet.
    device=$(losetup --find | cut -d ' ' -f 1)
    node "${device#/dev/loop}"
    # Somebody else may have taken the device in between.
    if losetup "$device" "$2"; then
      number=${device#/dev/loop}
    else
      attempt=$((attempt + 1))
      [ "$attempt" -lt 5 ] || exit 1
    fi
  done
  echo "$number"
  ;;
free)
  shift
  for file in "$@"; do
    [ -e "$file" ] || continue
    for number in $(users "$file"); do losetup --detach "/dev/loop$number"; done
  done
  ;;
esac
