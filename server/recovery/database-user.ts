/** What uses the database of a host: stopped while another one takes its place, and started again. */
import { spawn } from 'node:child_process'
import { UNIT } from '../../contract/unit.ts'

/** Patterns, for not every host has all of them. The sockets too: a connection would start an instance. */
const USERS = [UNIT.socket.replace('.', '*.'), UNIT.gateway.replace('@.', '@*.'), UNIT.migrate]

async function systemctl(...words: readonly string[]): Promise<void> {
  const child = spawn('systemctl', [...words], { stdio: ['ignore', 'ignore', 'inherit'] })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0) throw new Error(`systemctl ${words.join(' ')} ended with ${code}`)
}

/** Returns when the last call in flight has ended. */
export async function stopUsers(): Promise<void> {
  await systemctl('stop', ...USERS)
}

/** Starts them, and everything else that is not running. */
export async function startAll(): Promise<void> {
  await systemctl('start', UNIT.target)
}
