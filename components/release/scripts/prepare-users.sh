# shellcheck shell=bash
# The deploy user and its keys. Keys are reconciled here, since changing them in user data would replace the machine.
user=$(setting user)
if [ "$user" != root ]; then
  getent group docker >/dev/null || groupadd --system docker
  usermod --append --groups docker,adm "$user"
fi
if [ -s "$payload/authorized_keys" ]; then
  home=$(getent passwd "$user" | cut -d: -f6)
  install -d -m 700 -o "$user" -g "$(id -gn "$user")" "$home/.ssh"
  if differs "$home/.ssh/authorized_keys" 600 <"$payload/authorized_keys"; then
    chown "$user:" "$home/.ssh/authorized_keys"
  fi
fi
