/** What must hold before an installation: the very rules that `plan` and `bootstrap` refuse by. */
import { PREFLIGHT_RULES } from '../converge/preflight.ts'
import { type Check, fail, ok, type Topic } from '../diagnosis/check.ts'

const WHAT: Readonly<Record<string, string>> = {
  root: 'commands run as root',
  distribution: 'the operating system is one that we know',
  processor: 'the processor is one that we have programs for',
  systemd: 'systemd runs',
  memory: 'there is enough memory',
  ports: 'nobody else has our ports',
  disk: 'there is room in /opt and /var/lib',
  clock: 'its clock is that of this machine',
  calendar: 'systemd accepts the calendars of backups and checks',
  'first-boot': 'its first boot is over',
}

const checks = Object.entries(PREFLIGHT_RULES).map(
  ([name, problemsOf]): Check => ({
    id: `preflight.${name}`,
    what: WHAT[name] ?? name,
    judge: ({ preflight, spec, nowMs }) => {
      const problems = problemsOf(preflight, spec, nowMs)
      const [first] = problems
      if (first === undefined) return ok()
      return fail(
        problems.map(({ what, why }) => (why === undefined ? what : `${what}: ${why}`)).join('; '),
        first.next ?? '',
      )
    },
  }),
)

/** The rules of the preflight. */
export const preflight: Topic = { name: 'preflight', probe: '', checks }
