/** Identifies a process by number and start time, because process numbers are reused, and the place in which a number means that process. */
import { readFileSync, readlinkSync } from 'node:fs'
import { sha256Of } from './sha256.ts'

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

/** What is known of a process: `unknown` where the kernel hides the processes of other accounts (hidepid). */
export type ProcessState = 'running' | 'ended' | 'unknown'

/** Returns what is known of exactly this process. */
export function stateOfProcess({ pid, start }: ProcessIdentity): ProcessState {
  if (isRunning({ pid, start })) return 'running'
  if (startTimeOf(pid) !== undefined) return 'ended'
  try {
    process.kill(pid, 0)
    return 'ended' // ours, and a zombie: of what is ours nothing is hidden
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'unknown' : 'ended'
  }
}

/** What tells one set of process numbers from another: the machine, its boot, and the PID namespace on it. Empty: not known. */
export type ProcessSpace = Readonly<{ machineId: string; bootId: string; pidNamespace: string }>

function textOf(read: () => string): string {
  try {
    return read().trim()
  } catch {
    return ''
  }
}

/** Returns that of this process. */
export function readProcessSpace(): ProcessSpace {
  return {
    machineId: textOf(() => readFileSync('/etc/machine-id', 'utf8')),
    bootId: textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    pidNamespace: textOf(() => readlinkSync('/proc/self/ns/pid')),
  }
}

const SPACE_DIGITS = 32

/**
 * Returns the name of a set of process numbers, a hash: two processes with the same name see each other under the same numbers. Undefined
 * where boot or namespace is not known: then nobody can say so. An image's machine id may be that of many, and containers of one machine
 * share its boot, so all three count; the name of the host doesn't.
 */
export function processSpaceId({ machineId, bootId, pidNamespace }: ProcessSpace): string | undefined {
  if (bootId === '' || pidNamespace === '') return undefined
  const text = JSON.stringify(['tappass-process-space', machineId, bootId, pidNamespace])
  return sha256Of(text).slice(0, SPACE_DIGITS)
}
