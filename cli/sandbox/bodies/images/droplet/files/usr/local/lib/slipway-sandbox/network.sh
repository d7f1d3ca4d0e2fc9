#!/bin/sh
# What a droplet's network has and a container's lacks: the cloud's name server, reserved addresses that survive a
# reboot, and a metadata address behind a link of its own, so that packets to it are forwarded and filtered as on
# a real droplet.
# usage: network.sh start | network.sh reserve ADDRESS | network.sh release ADDRESS
set -eu
home=/etc/slipway-sandbox
mkdir -p "$home"
touch "$home/reserved"
public=$(ip -o route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)

hold() {
  ip address replace "$1/32" dev "$public"
  # The neighbours still know the last holder.
  arping -q -c 1 -A -I "$public" "$1" || true
}

case $1 in
start)
  # As on a real machine: what is unmounted is unmounted for services with a view of their own, too.
  mount --make-rshared /
  cat "$home/resolv.conf" >/etc/resolv.conf
  while read -r address; do hold "$address"; done <"$home/reserved"
  mkdir -p /run/netns
  ip netns add metadata
  ip link add metadata type veth peer name eth0 netns metadata
  ip address add 169.254.169.253/30 dev metadata
  ip link set metadata up
  ip -n metadata address add 169.254.169.254/30 dev eth0
  ip -n metadata link set eth0 up
  ip -n metadata link set lo up
  ;;
reserve)
  echo "$2" >>"$home/reserved"
  hold "$2"
  ;;
release)
  sed -i "/^$2\$/d" "$home/reserved"
  ip address del "$2/32" dev "$public" 2>/dev/null || true
  ;;
esac
