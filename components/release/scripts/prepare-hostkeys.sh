# shellcheck shell=bash
# The host keys of a machine that the program made: all that it names, and no other. Sessions that are open go on, this
# one too; the pinned key is always among those that were there and those that are.
if [ -s "$payload/host_key_ed25519" ] || [ -s "$payload/host_key_ecdsa" ]; then
  for type in ed25519 ecdsa; do
    key=/etc/ssh/ssh_host_${type}_key
    if [ -s "$payload/host_key_$type" ]; then
      if differs "$key" 600 <"$payload/host_key_$type"; then
        ssh-keygen -y -f "$key" | differs "$key.pub" || true
        reload_ssh=1
      fi
    elif [ -e "$key" ]; then
      rm -f "$key" "$key.pub"
      reload_ssh=1
    fi
  done
  if [ -n "${reload_ssh:-}" ]; then
    /usr/sbin/sshd -t
    systemctl try-reload-or-restart ssh
  fi
fi
