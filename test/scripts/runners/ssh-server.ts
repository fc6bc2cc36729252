/** A real sshd on a loopback port, for one test file: its own keys, its own account of nobody but whoever runs the tests. Needs: sshd. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { HostAddress } from '../../../scripts/connection/host-address.ts'
import type { SshAccess } from '../../../scripts/connection/ssh-access.ts'

/** `hostKeys` are public keys as in a .pub file, by type. `file` makes a path in the server's own folder. */
export type SshServer = Readonly<{
  address: HostAddress
  access: SshAccess
  hostKeys: Readonly<Record<'ed25519' | 'ecdsa', string>>
  file: (name: string, text?: string) => string
  pid: number
  stop: () => void
}>

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0))
    })
  })

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

/** Starts it and waits until it listens, with more settings, made from its files. `stop` ends it and removes its folder. */
export const startSshServer = async (
  more: (file: SshServer['file']) => readonly string[] = () => [],
): Promise<SshServer> => {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-sshd-'))
  const file = (name: string, text?: string): string => {
    if (text !== undefined) writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const makeKey = (name: string, type: string): string => {
    execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', file(name)])
    return readFileSync(file(`${name}.pub`), 'utf8').trim()
  }
  const hostKeys = { ed25519: makeKey('host-ed25519', 'ed25519'), ecdsa: makeKey('host-ecdsa', 'ecdsa') }
  file('authorized', `${makeKey('identity', 'ed25519')}\n`)
  const port = await freePort()
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${file('host-ed25519')}`,
    `HostKey ${file('host-ecdsa')}`,
    `AuthorizedKeysFile ${file('authorized')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin yes',
    'MaxStartups 100',
    ...more(file),
  ]
  const configuration = file('sshd_config', `${settings.join('\n')}\n`)
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const sshd = execFileSync('sh', ['-c', 'command -v sshd']).toString().trim()
  const child = spawn(sshd, ['-D', '-e', '-f', configuration], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  for (let tries = 0; !(await isListening(port)); tries++) {
    if (child.exitCode !== null || tries > 200) throw new Error(`sshd did not start: ${said}`)
    await wait(25)
  }
  const known = Object.values(hostKeys).map((key) => `[127.0.0.1]:${port} ${key}`)
  return {
    address: { user: userInfo().username, name: '127.0.0.1', port },
    access: {
      isUsual: false,
      identities: [file('identity')],
      agent: undefined,
      knownHosts: [file('known_hosts', `${known.join('\n')}\n`)],
      shouldAcceptNewKey: false,
      nowMs: () => Date.now(),
    },
    hostKeys,
    file,
    pid: child.pid ?? 0,
    stop: () => {
      child.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
