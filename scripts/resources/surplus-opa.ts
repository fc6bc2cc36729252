/** OPA servers of policies that no gateway asks any more: those of earlier releases, or all of them. */
import { HOST_PATH } from '../../contract/path.ts'
import { opaInstance, UNIT } from '../../contract/unit.ts'
import { scriptCommand } from '../core/command.ts'
import type { Fact } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import { unitPath } from '../core/unit-command.ts'
import { planUnitAbsent } from '../files/removal.ts'

/** `key` is that of the wanted one, if there is one. */
export type SurplusOpaOptions = Readonly<{ key: string | undefined }>

/** A row for each: a server that is loaded or enabled, a folder, one that the gateways' settings name, the unit's file. */
const SCRIPT = `systemctl list-units --all --plain --no-legend --no-pager 'tappass-opa@*.service' 2>/dev/null | sed -n 's/^tappass-opa@\\([^.]*\\).*/server \\1/p'
find /etc/systemd/system -name 'tappass-opa@?*.service' -type l -printf 'server %f\\n' 2>/dev/null | sed 's/tappass-opa@\\(.*\\).service/\\1/'
for each in "$1"/*/; do [ ! -d "$each" ] || basename "$each" | sed 's/^/server /'; done
cat "$2" "$3" 2>/dev/null | sed -n "s:^OPA_URL=.*/\\(.*\\)\\.sock$:asked \\1:p"
[ ! -e "$4" ] || echo file; exit 0`

type Standing = Readonly<{ servers: readonly string[]; asked: readonly string[]; hasFile: boolean }>

/** The servers on a host, by their keys. */
export const opaServersFact: Fact<Standing> = {
  query: {
    argv: [
      'sh',
      ...['-c', SCRIPT, 'sh', HOST_PATH.opaConfigFolder],
      ...[HOST_PATH.gatewayEnvironment, HOST_PATH.nextGatewayEnvironment, unitPath(UNIT.opa)],
    ],
    effect: 'read',
  },
  parse: ({ stdout }) => {
    const keys = (word: string) => [
      ...new Set([...stdout.matchAll(new RegExp(`^${word} ([0-9a-f]+)$`, 'gm'))].map(([, key = '']) => key)),
    ]
    return { servers: keys('server'), asked: keys('asked'), hasFile: /^file$/m.test(stdout) }
  },
}

const REMOVE = `systemctl disable --now "$1" 2>/dev/null || systemctl stop "$1"
systemctl reset-failed "$1" 2>/dev/null || true; rm -rf -- "$2" "$3"`

/** Stops and removes each surplus one. One that the settings of a gateway still name stays: a run that failed went back to it. */
export function surplusOpa({ key }: SurplusOpaOptions): Resource {
  return {
    id: 'surplus-opa',
    absent: async (getFact) => {
      const { servers } = await getFact(opaServersFact)
      return (await Promise.all(servers.map((each) => planUnitAbsent(getFact, opaInstance(each))))).flat()
    },
    plan: async (getFact) => {
      const { servers, asked, hasFile } = await getFact(opaServersFact)
      const surplus = servers.filter((each) => each !== key && !asked.includes(each)).toSorted()
      const isLast = key === undefined && hasFile && asked.length === 0
      const removeFile = scriptCommand('rm -f -- "$1"; systemctl daemon-reload', [unitPath(UNIT.opa)])
      return [
        ...surplus.map((each) => {
          const paths = [`${HOST_PATH.opaConfigFolder}/${each}`, `${HOST_PATH.opaSocketFolder}/${each}.sock`]
          const commands = [scriptCommand(REMOVE, [opaInstance(each), ...paths])] as const
          return { action: `stop and remove ${opaInstance(each)}`, reason: 'no gateway asks it', commands }
        }),
        ...(isLast
          ? [
              {
                action: `remove ${unitPath(UNIT.opa)}`,
                reason: 'policy.engine is embedded',
                commands: [removeFile] as const,
              },
            ]
          : []),
      ]
    },
  }
}
