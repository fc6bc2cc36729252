/** The Docker engine: answers, runs what is pinned, and opens nothing of others. */
import { parse } from 'yaml'
import { HOST_PATH } from '../../contract/path.ts'
import { fail, none, ok, skip, type Topic, warn } from '../diagnosis/check.ts'
import type { Probe } from '../diagnosis/probe.ts'

const PROBE = String.raw`
command -v docker >/dev/null || exit 0
echo "docker-version $(timeout 5 docker version --format '{{.Server.Version}}')"
timeout 5 docker info --format 'live-restore {{.LiveRestoreEnabled}}'
timeout 5 docker info --format 'storage {{.Driver}}'
timeout 5 docker ps --format '{{.Names}} {{.Ports}}' | grep -v '^tappass-' | grep -E '(0\.0\.0\.0|\[::\]):' | sed 's/^/published /'
timeout 5 docker ps --all --filter status=exited --filter status=dead --format '{{.Names}}' | grep '^tappass-' | sed 's/^/ended /'
for name in postgres redis; do
  id=$(timeout 5 docker inspect --format '{{.Image}}' tappass-$name) && echo "image $name $id $(timeout 5 docker image inspect --format '{{json .RepoDigests}} {{json .RepoTags}}' "$id")"
done
base64 -w0 ${HOST_PATH.versions} | sed 's/^/versions /'; echo
grep -qs userns-remap /etc/docker/daemon.json && echo remapping yes
[ -S /run/docker.sock ] && stat -c 'socket %U %G %a' /run/docker.sock
ss -Hltn 'sport = :2375 or sport = :2376' | sed -n 's/.* \([^ ]*:237[56]\) .*/api \1/p'
getent group docker | cut -d : -f 4 | tr ',' '\n' | sed -n 's/^\(..*\)/member \1/p'`

const FOREIGN_STORAGE = ['vfs', 'devicemapper', 'aufs']

/** The reference of an image as it was installed, by the record on the host. */
function pinOf(probe: Probe, name: string): string | undefined {
  try {
    const { images } = parse(Buffer.from(probe.one('versions'), 'base64').toString('utf8')) as {
      images?: Record<string, string>
    }
    return images?.[name]
  } catch {
    return undefined
  }
}

/** Whether what runs is the image of that reference: by its digest, its id, or its tag where it was loaded from a file. */
function isPinned(row: string, pin: string): boolean {
  return row.includes(pin.split('@')[1] ?? pin)
}

/** Docker. */
export const docker: Topic = {
  name: 'docker',
  probe: PROBE,
  checks: [
    {
      id: 'docker.answers',
      what: 'the engine answers',
      isInstalled: true,
      judge: ({ probe }) =>
        probe.one('docker-version') === ''
          ? fail('no answer within 5 s', 'systemctl status docker; journalctl -u docker -e   (on the host)')
          : ok(probe.one('docker-version')),
    },
    {
      id: 'docker.live-restore',
      what: 'containers outlive a restart of the engine',
      isInstalled: true,
      judge: ({ probe }) =>
        probe.one('live-restore') === 'false'
          ? warn(
              'live-restore is off: an update of Docker ends the database',
              'tappass bootstrap; with docker.adopt, set "live-restore": true in /etc/docker/daemon.json',
            )
          : ok(),
    },
    {
      id: 'docker.storage',
      what: 'images are stored in layers',
      judge: ({ probe }) =>
        FOREIGN_STORAGE.includes(probe.one('storage'))
          ? warn(
              `the driver is ${probe.one('storage')}: slow, or given up by Docker`,
              'docker info   (on the host); move to overlay2',
            )
          : ok(),
    },
    {
      id: 'docker.published',
      what: 'no container of others is open to the world',
      judge: ({ probe }) =>
        none(probe.all('published'), (rows) =>
          warn(`past ufw, from everywhere: ${rows}`, 'publish it as 127.0.0.1:PORT:PORT'),
        ),
    },
    {
      id: 'docker.ended',
      what: 'our containers run',
      isInstalled: true,
      judge: ({ probe }) =>
        none(probe.all('ended'), (names) => fail(`ended: ${names}`, 'tappass logs postgres --lines 50')),
    },
    {
      id: 'docker.images',
      what: 'the images that run are those that were installed',
      isInstalled: true,
      judge: ({ probe }) => {
        const rows = probe.all('image')
        if (rows.length === 0) return skip('no container of ours runs')
        const others = rows.filter((row) => {
          const pin = pinOf(probe, row.split(' ')[0] ?? '')
          return pin === undefined || !isPinned(row, pin)
        })
        return none(
          others.map((row) => row.split(' ')[0] ?? ''),
          (names) => fail(`another image runs: ${names}`, 'tappass bootstrap'),
        )
      },
    },
    {
      id: 'docker.remapping',
      what: 'containers have the accounts of their images',
      judge: ({ probe }) =>
        probe.one('remapping') === 'yes'
          ? fail(
              'userns-remap is set: our containers cannot read their data',
              'take userns-remap out of /etc/docker/daemon.json',
            )
          : ok(),
    },
    {
      id: 'docker.socket',
      what: 'the socket of the engine is closed to others',
      judge: ({ probe }) => {
        const [owner = '', , mode = '660'] = probe.one('socket').split(' ')
        if (owner === '') return skip('there is no engine')
        return (Number.parseInt(mode, 8) & 0o007) === 0
          ? ok()
          : fail(
              `its mode is ${mode}: whoever opens it is root`,
              'sudo systemctl restart docker.socket   (on the host)',
            )
      },
    },
    {
      id: 'docker.api',
      what: 'the engine does not listen on the network',
      judge: ({ probe }) =>
        none(probe.all('api'), (places) =>
          fail(
            `it listens at ${places}: whoever gets there is root`,
            'take tcp:// out of "hosts" in /etc/docker/daemon.json and of docker.service',
          ),
        ),
    },
    {
      id: 'docker.members',
      what: 'nobody is root by the group docker',
      judge: ({ probe }) =>
        none(probe.all('member'), (names) =>
          warn(`members of the group docker: ${names}`, 'sudo gpasswd --delete NAME docker   (on the host)'),
        ),
    },
  ],
}
