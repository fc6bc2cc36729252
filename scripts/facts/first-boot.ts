/** Whether cloud-init still sets up the host: it rewrites the sources of apt and host keys, and may start the machine anew. */
import type { Command, Fact } from '../core/host.ts'

/** `state` is cloud-init's own word (`running`, `done`, `error`), empty where it is not installed. `problem` is what went wrong. */
export type FirstBoot = Readonly<{ state: string; problem: string }>

const PROBLEM_CHARS_MAX = 300

/** Ten minutes are waited for; then the question is asked once more. */
const WAIT_DEADLINE_MS = 640_000

function firstBootQuery(query: Pick<Command, 'argv' | 'deadlineMs'>): Fact<FirstBoot> {
  return {
    query: { ...query, effect: 'read' },
    parse: ({ stdout }) => {
      const [state = '', ...problems] = stdout.split('\n').map((line) => line.trim())
      const text = problems.filter((line) => line !== '').join(' ')
      // A terminal would do what they say: colours, titles.
      return { state, problem: text.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, PROBLEM_CHARS_MAX) }
    },
  }
}

/** What cloud-init says now. `waiting` is the text of `scripts/first-boot.sh`. */
export function firstBootFact(waiting: string): Fact<FirstBoot> {
  return firstBootQuery({ argv: ['sh', '-c', `${waiting}\ncloud_init_state`] })
}

/** What cloud-init says once it runs no more, or after ten minutes. */
export function firstBootEndFact(waiting: string): Fact<FirstBoot> {
  const argv = ['sh', '-c', `${waiting}\nawait_cloud_init; cloud_init_state`] as const
  return firstBootQuery({ argv, deadlineMs: WAIT_DEADLINE_MS })
}
