/**
 * The tools of Ubuntu 26.04 on a lab machine: coreutils and sudo in Rust. Its cp, mv and rm are still GNU's. Debian has the
 * same programs, as packages that nothing uses by default.
 */
import { inside, type Server } from './server.ts'

/** Who logs in: an ordinary user who may use sudo, as on cloud images. */
const USER = 'ubuntu'

const SETUP = `
apt-get update -q
apt-get install -yq --no-install-recommends rust-coreutils sudo sudo-rs
for path in /usr/lib/cargo/bin/coreutils/*; do
  name=\${path##*/}
  case $name in cp | mv | rm) continue ;; esac
  for folder in /usr/bin /usr/sbin; do [ ! -e "$folder/$name" ] || ln -sf "$path" "$folder/$name"; done
done
ln -sf /usr/bin/sudo-rs /usr/bin/sudo
ln -sf /usr/bin/visudo-rs /usr/sbin/visudo
useradd --create-home --shell /bin/bash ${USER}
printf '%s ALL=(ALL:ALL) NOPASSWD: ALL\\n' ${USER} >/etc/sudoers.d/90-cloud-init-users
chmod 0440 /etc/sudoers.d/90-cloud-init-users
mkdir -m 0700 /home/${USER}/.ssh
cp /root/.ssh/authorized_keys /home/${USER}/.ssh/
chown -R ${USER}: /home/${USER}/.ssh`

/** Gives a machine these tools, and returns it as its ordinary user sees it. */
export async function withUbuntuTools(server: Server): Promise<Server> {
  await inside(server, `set -eu${SETUP}`)
  return { ...server, user: USER }
}
