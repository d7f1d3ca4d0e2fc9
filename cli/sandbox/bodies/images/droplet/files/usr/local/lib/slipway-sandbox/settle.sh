#!/bin/sh
# Leaves the image as a cloud's image is: services that the preparation sets up are off, and what every machine must
# have of its own (host keys, machine id) is not there yet.
set -eu
systemctl disable docker.service docker.socket containerd.service caddy.service
systemctl enable ssh.service sandbox-network.service sandbox-metadata.service
# They want hardware or a console that a container does not have.
systemctl mask getty.target console-getty.service systemd-udevd.service systemd-udev-trigger.service \
  systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service e2scrub_reap.service
systemctl set-default multi-user.target
rm -f /etc/caddy/Caddyfile.dpkg-* /etc/ssh/ssh_host_*
: >/etc/machine-id
mkdir -p /var/lib/cloud/seed/nocloud /etc/docker/certs.d /etc/slipway-sandbox /var/lib/slipway-sandbox/metadata
chmod 700 /var/lib/slipway-sandbox
cloud-init clean --logs
