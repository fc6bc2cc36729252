/** Which boot of this machine this is, so that process numbers of an earlier one are not taken for today's. */
import { readFileSync } from 'node:fs'

/** The kernel's boot id; empty where there is none (not Linux). */
export const bootOf = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
