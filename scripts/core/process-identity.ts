/** One process and no other: its number, and when it started, since numbers are used again. */
import { readFileSync } from 'node:fs'

/** `start` is field 22 of /proc/PID/stat (clock ticks since boot, proc(5)); empty where there is no /proc. */
export type ProcessIdentity = Readonly<{ pid: number; start: string }>

/** A zombie has ended and only waits to be collected: it counts as gone. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : fields[18]
  } catch {
    return undefined
  }
}

/** The identity of a process that runs now. */
export function identify(pid: number): ProcessIdentity {
  return { pid, start: startOf(pid) ?? '' }
}

/** Whether that very process still runs. */
export function isRunning({ pid, start }: ProcessIdentity): boolean {
  if (startOf(process.pid) !== undefined) return startOf(pid) === start
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The kernel's boot id; empty where there is none (not Linux). */
export function bootOf(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
