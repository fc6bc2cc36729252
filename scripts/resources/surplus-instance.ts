/** Instances of a template unit beyond the configured number: left over when the setting was lowered. */
import { scriptCommand, within } from '../core/command.ts'
import type { Fact } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import { planUnitAbsent } from '../files/removal.ts'

/** `template` is the name up to the `@`; instances are numbered from 1, and those above `count` must not exist. `reason` names the setting, unless it is that of the gateway's instances. */
export type SurplusInstanceOptions = Readonly<{ template: string; count: number; reason?: string }>

/** The numbers of the instances that are loaded or enabled. */
export function instancesFact(template: string): Fact<readonly number[]> {
  return {
    query: {
      argv: [
        'sh',
        '-c',
        `systemctl list-units --all --plain --no-legend --no-pager "$1@*.service" 2>/dev/null
       find /etc/systemd/system -name "$1@*.service" -type l -printf '%f\\n' 2>/dev/null; exit 0`,
        'sh',
        template,
      ],
      effect: 'read',
    },
    parse: ({ stdout }) => [
      ...new Set([...stdout.matchAll(/^[^\s@]+@(\d+)\.service\b/gm)].map(([, number]) => Number(number))),
    ],
  }
}

/** Longer than what one has in hand may take to end. */
const STOP_MINUTES = 10

/** Stops and disables each surplus instance. */
export function surplusInstance({ template, count, reason }: SurplusInstanceOptions): Resource {
  return {
    id: `surplus-instance:${template}`,
    absent: async (getFact) => {
      const names = (await getFact(instancesFact(template)))
        .filter((number) => number > count)
        .map((number) => `${template}@${number}.service`)
      return (await Promise.all(names.map((name) => planUnitAbsent(getFact, name)))).flat()
    },
    plan: async (getFact) => {
      const surplus = (await getFact(instancesFact(template))).filter((number) => number > count)
      return surplus
        .toSorted((a, b) => a - b)
        .map((number) => {
          const name = `${template}@${number}.service`
          const stop = scriptCommand('systemctl disable --now "$1"; systemctl reset-failed "$1" 2>/dev/null || true', [
            name,
          ])
          return {
            action: `stop and disable ${name}`,
            reason: reason ?? `the setting instances is ${count}`,
            commands: [within(STOP_MINUTES, stop)],
          } as const
        })
    },
  }
}
