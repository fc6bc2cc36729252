/** Identifies a process by number and start time, because process numbers are reused. */
import { readFileSync } from 'node:fs'

/** `start` is field 22 of /proc/PID/stat (clock ticks since boot, proc(5)); empty where there is no /proc. */
export type ProcessIdentity = Readonly<{ pid: number; start: string }>

/** A zombie counts as ended. */
function startTimeOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' || state === 'X' ? undefined : fields[18]
  } catch {
    return undefined
  }
}

/** Returns the identity of a running process. */
export function identifyProcess(pid: number): ProcessIdentity {
  return { pid, start: startTimeOf(pid) ?? '' }
}

/** Whether exactly this process is still running. */
export function isRunning({ pid, start }: ProcessIdentity): boolean {
  if (startTimeOf(process.pid) !== undefined) return startTimeOf(pid) === start
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Returns the kernel's boot id; empty where there is none (not Linux). */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
