/** Locks between processes. The kernel holds them, so a lock ends with the process that took it, however that ends. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Does the work while holding the lock on `file`, waiting for whoever has it. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true })
  // `cat` ends when this process closes its end of the pipe, or dies: then flock lets go.
  const holder = spawn('flock', ['--exclusive', file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true, // Ctrl-C must not drop the lock before the work has noticed
  })
  const ended = once(holder, 'close')
  const held = await Promise.race([once(holder.stdout, 'data'), ended.then(() => undefined)])
  if (held === undefined) throw new Error(`the lock ${file} could not be taken: flock ended`)
  try {
    return await work()
  } finally {
    holder.stdin.end()
    await ended
  }
}
