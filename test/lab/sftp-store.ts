/** A real sshd with an account that may add files to one folder, and read and list them, and nothing else: as docs/how-to/backup-store.md says. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SshStore, StoreSecrets } from '../../contract/backup-store.ts'
import { freePort } from '../free-port.ts'

/** What the account may ask for. Its files are read-only from the moment they are made, and nothing lets it change that. */
export const APPEND_ONLY =
  'internal-sftp -u 0222 -p open,close,read,write,fsync,stat,lstat,fstat,opendir,readdir,realpath,limits'

/** An account that every Debian has, whose password is neither set nor locked. */
const ACCOUNT = 'nobody'

/** `folder` is the store's, on this machine; nobody knows `strangerKey` there, and its host key is not `otherHostKey`. `stop` ends sessions, too. */
export type SftpServer = Readonly<{
  store: SshStore
  secrets: StoreSecrets
  folder: string
  port: number
  strangerKey: string
  otherHostKey: string
  untilFile: (name: string) => Promise<void>
  start: () => Promise<void>
  stop: () => Promise<void>
  close: () => Promise<void>
}>

const isListening = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, host)
    const end = (is: boolean) => {
      resolve(is)
      socket.destroy()
    }
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })

/** The processes that come from a process, those of sessions here: each has one of root and one of its account. */
const descendants = (pid: number): readonly number[] => {
  const found = spawnSync('pgrep', ['-P', String(pid)])
    .stdout.toString()
    .split('\n')
    .filter(Boolean)
    .map(Number)
  return found.flatMap((each) => [...descendants(each), each])
}

/** Starts one on an address of this machine; needs root, for the account is another one. */
export const startSftpStore = async (host = '127.0.0.1'): Promise<SftpServer> => {
  const top = mkdtempSync(join(tmpdir(), 'tappass-sftp-'))
  chmodSync(top, 0o755)
  const folder = join(top, 'copies')
  mkdirSync(folder, { mode: 0o700 })
  const [, uid = 0, gid = 0] =
    new RegExp(`^${ACCOUNT}:[^:]*:([0-9]+):([0-9]+):`, 'm').exec(readFileSync('/etc/passwd', 'utf8')) ?? []
  chownSync(folder, Number(uid), Number(gid))
  const makeKey = (name: string): string => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(top, name)])
    return readFileSync(join(top, `${name}.pub`), 'utf8').trim()
  }
  const hostKey = makeKey('host')
  writeFileSync(join(top, 'authorized'), `restrict ${makeKey('identity')}\n`, { mode: 0o644 })
  const otherHostKey = makeKey('stranger')
  const port = await freePort(host)
  const settings = [
    ...[`Port ${port}`, `ListenAddress ${host}`, `HostKey ${join(top, 'host')}`],
    ...[`AuthorizedKeysFile ${join(top, 'authorized')}`, 'PidFile none', 'StrictModes no', 'UsePAM no'],
    ...['PasswordAuthentication no', 'KbdInteractiveAuthentication no', `AllowUsers ${ACCOUNT}`],
    ...['Subsystem sftp internal-sftp', `Match User ${ACCOUNT}`, `ForceCommand ${APPEND_ONLY}`],
  ]
  writeFileSync(join(top, 'sshd_config'), `${settings.join('\n')}\n`)
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const program = execFileSync('sh', ['-c', 'command -v sshd']).toString().trim()
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    child = spawn(program, ['-D', '-e', '-f', join(top, 'sshd_config')], { stdio: 'ignore' })
    while (!(await isListening(host, port))) {
      if (child.exitCode !== null) throw new Error(`sshd ended with ${child.exitCode}`)
      await sleep(25)
    }
  }
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    for (const pid of descendants(child.pid ?? 0)) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It ended meanwhile.
      }
    }
    child.kill('SIGKILL')
    await ended
  }
  await start()
  return {
    store: { kind: 'ssh', user: ACCOUNT, host, port, folder, hostKey },
    secrets: { 'backup-store-ssh-key': readFileSync(join(top, 'identity'), 'utf8') },
    strangerKey: readFileSync(join(top, 'stranger'), 'utf8'),
    otherHostKey,
    untilFile: async (name) => {
      while (!existsSync(join(folder, name))) await sleep(5)
    },
    ...{ folder, port, start, stop },
    close: async () => {
      await stop()
      rmSync(top, { recursive: true, force: true })
    },
  }
}
