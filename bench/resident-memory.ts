/** What memory a process holds. */
import { readFileSync } from 'node:fs'

/** Resident memory of a process in megabytes (proc(5): VmRSS). */
export function residentMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
