/** Which Docker is on a host whose engine is not under our settings, and what runs in it. */
import type { Fact } from '../core/host.ts'

/**
 * `snap` is the path that shows a Docker of snap. `isListening`: some engine listens on Docker's socket. `isSilent`: it runs and does not
 * answer. `containers` are those that are not ours. `isRemappingUsers`: its settings give containers other accounts.
 */
export type ForeignDocker = Readonly<{
  snap: string | undefined
  isListening: boolean
  isSilent: boolean
  containers: readonly string[]
  isRemappingUsers: boolean
}>

/**
 * Nothing is asked where one of the paths exists. An engine that is stopped is not asked, for its socket would start it: its folder says what it
 * has.
 */
const SCRIPT = `for path do [ ! -e "$path" ] || exit 0; done
for path in /snap/bin/docker /snap/docker /var/snap/docker; do [ ! -e "$path" ] || echo "snap $path"; done
ss -Hlx 2>/dev/null | grep -qE ' (/var)?/run/docker\\.sock ' && echo listening
grep -qs '"userns-remap"' /etc/docker/daemon.json && echo remapping
command -v docker >/dev/null 2>&1 || exit 0
if systemctl is-active --quiet docker.service; then
  timeout 10 docker ps --all --format 'container {{.Names}}' 2>/dev/null || echo silent
else
  for path in /var/lib/docker/containers/*; do [ ! -e "$path/hostname" ] || printf 'container %.12s\\n' "\${path##*/}"; done
fi`

const OURS = /^tappass-/

/** What was there before us. It is empty where one of the paths exists, which say that the engine is ours, or has been looked at. */
export function foreignDockerFact(settledBy: readonly string[]): Fact<ForeignDocker> {
  return {
    query: { argv: ['sh', '-c', SCRIPT, 'sh', ...settledBy], effect: 'read' },
    parse: ({ stdout }) => {
      const rows = stdout.split('\n')
      const all = (word: string) =>
        rows.filter((row) => row.startsWith(`${word} `)).map((row) => row.slice(word.length + 1))
      return {
        snap: all('snap')[0],
        isListening: rows.includes('listening'),
        isSilent: rows.includes('silent'),
        containers: all('container').filter((name) => !OURS.test(name)),
        isRemappingUsers: rows.includes('remapping'),
      }
    },
  }
}
