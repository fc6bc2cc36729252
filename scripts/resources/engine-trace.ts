/** What a Docker that came with us has made beside its packages: folders, a group, a bridge, rules of the kernel. Nothing to make, but something to take away. */
import { HOST_PATH } from '../../contract/path.ts'
import { scriptCommand, within } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Fact } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import { forgetMadeCommand, madeRecordFact } from '../facts/made-record.ts'
import { REMOVAL_REASON } from '../files/removal.ts'

/** Made by the packages' scripts and the programs; none of them is in a package's own list. */
const FOLDERS = [
  '/var/lib/docker',
  '/var/lib/containerd',
  '/run/docker',
  '/run/containerd',
  '/etc/containerd',
  '/etc/cni',
  '/opt/containerd',
] as const
const GROUP = 'docker'
const FRESH = 'fresh'

/**
 * Run before the packages are installed: what the host was like. The function `made` is defined. `ip_forward` and the policy of FORWARD are
 * set by the engine when it starts, and by nobody back.
 */
export const RECORD_ENGINE = `if ! command -v dockerd >/dev/null && [ ! -e /var/lib/docker ]; then
  made engine ${FRESH}
  made engine "ip_forward $(cat /proc/sys/net/ipv4/ip_forward)"
  for path in ${FOLDERS.join(' ')}; do [ -e "$path" ] || made path "$path"; done
  getent group ${GROUP} >/dev/null || made group ${GROUP}
  for tables in iptables ip6tables; do
    policy=$($tables -S FORWARD 2>/dev/null | sed -n 's/^-P FORWARD //p'); made engine "$tables \${policy:-ACCEPT}"
  done
  [ -n "$(nft list tables 2>/dev/null)" ] || made engine no-tables
fi`

/** Run before the packages are removed: what needs their programs. */
export const STOP_ENGINE = `made_engine() { grep -qsxF -- "engine $1" ${HOST_PATH.madeRecord}; }
if made_engine ${FRESH}; then
  systemctl disable --now docker.socket docker.service containerd.service >/dev/null 2>&1 || :
  for tables in iptables ip6tables; do
    rules=$($tables-save 2>/dev/null) || continue
    case $rules in *DOCKER*) ;; *) continue ;; esac
    policy=ACCEPT; ! made_engine "$tables DROP" || policy=DROP
    printf '%s\\n' "$rules" | sed "/DOCKER/d; /docker0/d; s/^:FORWARD [A-Z]*/:FORWARD $policy/" | $tables-restore
  done
  ip link delete docker0 2>/dev/null || :
  ! made_engine no-tables || ! command -v nft >/dev/null || for family in ip ip6; do for table in filter nat raw mangle; do
    case $(nft list table $family $table 2>/dev/null | grep -vE '^[[:space:]]*(table|chain|type|#|}|$)') in '') nft delete table $family $table 2>/dev/null || : ;; esac
  done; done
  ! made_engine 'ip_forward 0' || echo 0 >/proc/sys/net/ipv4/ip_forward
fi`

const REMOVE = `for path in ${FOLDERS.join(' ')}; do
  ! grep -qsxF -- "path $path" ${HOST_PATH.madeRecord} || { umount -l -- "$path"/* 2>/dev/null || :; rm -rf -- "$path"; }
done
rm -f /run/docker.sock /run/docker.pid
! grep -qsxF 'group ${GROUP}' ${HOST_PATH.madeRecord} || ! getent group ${GROUP} >/dev/null || groupdel ${GROUP}`

/** Containers, named volumes and networks that are not ours, in an engine that came with us. */
const othersFact: Fact<readonly string[]> = {
  query: {
    argv: [
      'sh',
      '-c',
      `command -v dockerd >/dev/null && systemctl is-active --quiet docker.service || exit 0
{ timeout 10 docker ps --all --format 'container {{.Names}}'; timeout 10 docker volume ls --format 'volume {{.Name}}'
timeout 10 docker network ls --format 'network {{.Name}}'; } 2>/dev/null | grep -vE '^(container tappass-|network (bridge|host|none)$)'; :`,
    ],
    effect: 'read',
  },
  parse: ({ stdout }) => stdout.split('\n').filter((line) => line !== ''),
}

const MINUTES = 30
const SHOWN_MAX = 5

/** The traces. What others keep in that engine is refused (exit 5): it would go with it. */
export function engineTrace(): Resource {
  return {
    id: 'engine-trace:docker',
    plan: async () => [],
    absent: async (getFact) => {
      const [made, others] = await Promise.all([getFact(madeRecordFact), getFact(othersFact)])
      if (!made.has('engine', FRESH)) return []
      if (others.length > 0) {
        throw refusedFailure(
          'the Docker that came with TapPass is used by others',
          `${others.slice(0, SHOWN_MAX).join(', ')}${others.length > SHOWN_MAX ? ' and more' : ''}: they would be gone with it`,
          `remove them; or keep the engine and its packages: sed -i '/^engine /d; /^package /d' ${HOST_PATH.madeRecord}   (on the host)`,
        )
      }
      const remove = within(MINUTES, scriptCommand(REMOVE, []))
      const commands = [remove, forgetMadeCommand('engine', FRESH)] as const
      return [{ action: 'remove what Docker has made: images, bridge, rules, group', reason: REMOVAL_REASON, commands }]
    },
  }
}
