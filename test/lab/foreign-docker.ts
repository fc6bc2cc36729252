/** A Docker that somebody else has on a lab machine: its engine, its container, and what else is found in its place. */
import { join } from 'node:path'
import { layFile } from './clone.ts'
import { inside, type Server } from './server.ts'
import { cachePath } from './setting.ts'

/** Where the container of somebody else answers. */
export const FOREIGN_PORT = 8088

/** Settings as people have them: other addresses for networks, another driver of logs, nothing of ours. */
const SETTINGS = '{"log-driver": "json-file", "default-address-pools": [{"base": "10.210.0.0/16", "size": 24}]}'

/** Packages of the vendor's names, empty but for what they conflict with, installed as from a repository that is gone. */
export const INSTALL_VENDORS = `set -eu; cd /tmp
deb() {
  mkdir -p "$1/DEBIAN"
  printf 'Package: %s\\nVersion: 5:28.5.2-1\\nArchitecture: all\\nMaintainer: lab <lab@localhost>\\nDescription: lab\\nConflicts: %s\\n' "$1" "$2" >"$1/DEBIAN/control"
  dpkg-deb --build "$1" >/dev/null
}
deb docker-ce 'docker (<< 1.5~), docker-engine, docker.io'
deb docker-ce-cli 'docker (<< 1.5~), docker-engine, docker.io'
deb containerd.io 'containerd, runc'
dpkg --install docker-ce.deb docker-ce-cli.deb containerd.io.deb >/dev/null`

/** The source that the vendor's page told people to write some years ago. */
export const ADD_OLD_SOURCE = `mkdir -p /etc/apt/keyrings
: >/etc/apt/keyrings/docker.gpg
echo 'deb [arch=amd64 signed-by=/etc/apt/keyrings/docker.gpg] https://download.docker.com/linux/debian trixie stable' >/etc/apt/sources.list.d/docker.list`

/** The engine of a snap: its command, and somebody who listens on the socket. */
export const ADD_SNAP = `mkdir -p /snap/bin; ln -s /usr/bin/true /snap/bin/docker
systemd-run --quiet --unit=snap.docker.dockerd python3 -c "import socket, time
s = socket.socket(socket.AF_UNIX); s.bind('/run/docker.sock'); s.listen(); time.sleep(600)"
until [ -S /run/docker.sock ]; do sleep 0.1; done`

/** Installs the distribution's Docker with settings of its own, and starts a container that publishes a port. */
export async function addForeignDocker(server: Pick<Server, 'machine'>): Promise<void> {
  await layFile(server.machine, join(cachePath('images'), 'redis.tar'), '/root/shop.tar')
  await inside(
    server,
    `set -eu
    mkdir -p /etc/docker; echo '${SETTINGS}' >/etc/docker/daemon.json
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends docker.io docker-cli iptables >/dev/null
    image=$(docker load --quiet --input /root/shop.tar | sed 's/^Loaded image: //'); rm /root/shop.tar
    docker run --detach --name shop --restart unless-stopped --publish ${FOREIGN_PORT}:6379 --entrypoint redis-server "$image" --protected-mode no`,
  )
}

/** The number of the main process of that container: another one after each start. */
export const foreignPid = (server: Pick<Server, 'machine'>): Promise<string> =>
  inside(server, `docker inspect --format '{{.State.Pid}}' shop`)
