#!/usr/bin/env bash
# A real sshd on a free port, as this user, with keys of its own: the NAS of the example.
#
#   sshd.sh FOLDER PORT       makes keys, known_hosts and a configuration in FOLDER, and serves
set -euo pipefail
folder=$1 port=$2
mkdir -p "$folder"
for name in host client; do ssh-keygen -q -t ed25519 -N '' -f "$folder/$name"; done
cp "$folder/client.pub" "$folder/authorized_keys"
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$folder/host.pub")" > "$folder/known_hosts"
cat > "$folder/sshd_config" << CONFIG
Port $port
ListenAddress 127.0.0.1
HostKey $folder/host
PidFile none
AuthorizedKeysFile $folder/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
StrictModes no
UsePAM no
Subsystem sftp internal-sftp
CONFIG
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
exec "$(command -v sshd || echo /usr/sbin/sshd)" -D -e -f "$folder/sshd_config"
