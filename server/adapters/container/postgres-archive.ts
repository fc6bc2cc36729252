/**
 * Copies of a whole cluster: taken by PostgreSQL's own pg_basebackup as a role that reads no row, and started again beside the one in force, in a container of its own of
 * the same image, without a network.
 */
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { confinedWords, docker, endOf, outputOf, startInContainer } from './container-tool.ts'

/** Between which positions of the log a copy lies; it is whole with that part of it. */
export type WalRange = Readonly<{ timeline: number; first: string; last: string }>

/** What a base backup needs of the server. Each method throws, with the tool's stderr, when the tool fails. */
export type ArchiveTool = Readonly<{
  /** Copies the cluster as a tar, with a manifest of its files; `range` is for when it has ended. The server has archived the copy's part of its log by then. */
  copy: () => Readonly<{ tar: AsyncIterable<Uint8Array>; range: () => WalRange }>
  /** Which cluster it is. */
  systemId: () => Promise<string>
  /** The major version of the server: another one can't start a copy of this cluster. */
  major: () => Promise<number>
  /** Ends the current segment of the log with a commit in it, and returns its name. */
  switchSegment: () => Promise<string>
  /** Forgets that a segment was let go. */
  clearGap: () => Promise<void>
}>

/** The manifest of the copy stands last in the tar, and says at its end which part of the log belongs to it. */
const MANIFEST_END_BYTES = 16_384
const RANGE = /"Timeline": (\d+), "Start-LSN": "([^"]+)", "End-LSN": "([^"]+)"/g

function rangeIn(end: string): WalRange {
  const [, timeline, first = '', last = ''] = [...end.matchAll(RANGE)].at(-1) ?? []
  if (timeline === undefined) throw new Error('pg_basebackup did not say which part of the log it needs')
  return { timeline: Number(timeline), first, last }
}

const SYSTEM_ID = 'SELECT system_identifier FROM pg_control_system()'
/** A commit after everything that was asked for: a recovery knows that it is past a time only when it sees one. */
const SWITCH = ['SELECT pg_current_xact_id()', 'SELECT pg_walfile_name(pg_switch_wal())'] as const

/** Given the container's name, the role that copies, and what asks as superuser, returns the tool. */
export function postgresArchive(
  container: string,
  role: string,
  administer: (...statements: readonly string[]) => Promise<readonly string[]>,
): ArchiveTool {
  const login = ['--host', '/tappass/run', '--username', role, '--no-password']
  const options = ['--pgdata', '-', '--format', 'tar', '--wal-method', 'none', '--checkpoint', 'fast']
  return {
    copy: () => {
      const child = startInContainer([container, 'pg_basebackup', ...login, ...options], 'ignore')
      const ended = endOf(child, 'pg_basebackup')
      ended.catch(() => undefined)
      let end: Buffer = Buffer.alloc(0)
      const tar = async function* () {
        for await (const piece of child.stdout as AsyncIterable<Buffer>) {
          end = Buffer.concat([end, piece]).subarray(-MANIFEST_END_BYTES)
          yield piece
        }
        await ended
      }
      return { tar: tar(), range: () => rangeIn(end.toString('latin1')) }
    },
    systemId: async () => (await administer(SYSTEM_ID))[0] ?? '',
    major: async () => Math.floor(Number((await administer('SHOW server_version_num'))[0]) / 10_000),
    switchSegment: async () => (await administer(...SWITCH)).at(-1) ?? '',
    clearGap: async () => void (await outputOf([container, 'rm', '-f', '/tappass/data/wal-gap'], 'ignore', 'rm')),
  }
}

/** How far the log is gone through: to the moment when the copy was whole, to a time, or to its end. */
export type RecoveryTarget = Readonly<{ kind: 'whole' } | { kind: 'time'; time: Date } | { kind: 'end' }>

/** `container` is its name, `server` that of the server in force, in whose folder of data (`dataFolder` on the host) it gets one of its own; `walFolder` is that of the cluster's log. */
export type ScratchOptions = Readonly<{
  container: string
  server: string
  configFolder: string
  dataFolder: string
  walFolder: string
  target: RecoveryTarget
}>

/** As long as a large log takes. */
const READY_MS_MAX = 4 * 3600 * 1000
const PAUSE_MS = 200
const SCRATCH = 'recovery'

/** Standard input is the tar. Every file is held against the copy's own manifest before the server starts. */
const START = `set -eu; cd /tappass/data; mkdir -m 0700 cluster; gzip -dc | tar -xf - -C cluster; pg_verifybackup --quiet --no-parse-wal cluster
touch cluster/recovery.signal; exec postgres -c config_file=/tappass/etc/postgresql.conf "$@"`

/** PostgreSQL knows no names of zones yet when it reads this. */
function timeText(time: Date): string {
  return time.toISOString().replace('T', ' ').replace('Z', '+00')
}

function settingsOf(target: RecoveryTarget): readonly string[] {
  const settings = [
    ...['data_directory=/tappass/data/cluster', 'archive_mode=off', 'hot_standby=off', 'shared_buffers=32MB'],
    ...['recovery_target_action=promote', 'fsync=off', 'max_wal_size=256MB'],
    'restore_command=test -e /tappass/wal/%f.gz && gzip -dc /tappass/wal/%f.gz >"%p"',
    ...(target.kind === 'time' ? [`recovery_target_time=${timeText(target.time)}`] : []),
    ...(target.kind === 'whole' ? ['recovery_target=immediate'] : []),
  ]
  return settings.flatMap((setting) => ['-c', setting])
}

/** Takes away what a killed run has left. */
export async function removeScratch({
  container,
  server,
}: Pick<ScratchOptions, 'container' | 'server'>): Promise<void> {
  const ids = await docker('container', 'ls', '--all', '--quiet', '--filter', `name=^${container}$`)
  if (ids !== '') await docker('rm', '--force', '--volumes', container)
  await docker('exec', server, 'rm', '-rf', `/tappass/data/${SCRATCH}`)
}

function runWords(
  { container, configFolder, dataFolder, walFolder, target }: ScratchOptions,
  image: string,
  user: string,
) {
  const bind = (source: string, at: string, rest = '') => ['--mount', `type=bind,source=${source},target=${at}${rest}`]
  return [
    ...['run', '--interactive', '--name', container, '--log-driver', 'none', ...confinedWords(user)],
    ...['--memory', '256m', '--memory-swap', '256m', '--pids-limit', '64', '--shm-size', '64m', '--ulimit', 'core=0'],
    ...[
      '--tmpfs',
      '/tmp:rw,noexec,nosuid,nodev,size=64m',
      '--tmpfs',
      '/tappass/run:rw,noexec,nosuid,nodev,mode=1777,size=1m',
    ],
    ...['--tmpfs', '/var/lib/postgresql/data:ro,size=4k', '--env', 'LC_ALL=C'],
    ...bind(configFolder, '/tappass/etc', ',readonly'),
    ...bind(`${dataFolder}/${SCRATCH}`, '/tappass/data'),
    ...bind(walFolder, '/tappass/wal', ',readonly'),
    ...['--entrypoint', '/bin/sh', image, '-c', START, 'sh', ...settingsOf(target)],
  ]
}

/** What is thrown when the log ends before the time. */
export const LOG_TOO_SHORT = /the archived log ends before that time/

/** What PostgreSQL says then. */
const TOO_SHORT = /recovery ended before configured recovery target was reached/

async function untilReady(container: string, hasEnded: () => boolean, signal: AbortSignal): Promise<void> {
  const isReady = () =>
    docker('exec', container, 'pg_isready', '--quiet', '--host', '/tappass/run').then(
      () => true,
      () => false,
    )
  while (!hasEnded() && !(await isReady())) {
    signal.throwIfAborted()
    await sleep(PAUSE_MS)
  }
}

/**
 * Starts a copy of a cluster beside the one in force, lets it go through the log up to the target, and runs the work on it; then it is gone. `base` is the compressed tar. Throws
 * when a file of the copy is not as its manifest says, and when the log does not reach the target.
 */
export async function withScratchCluster<Value>(
  options: ScratchOptions,
  base: AsyncIterable<Uint8Array>,
  work: () => Promise<Value>,
): Promise<Value> {
  const { container, server } = options
  await removeScratch(options)
  const [image = '', user = ''] = (await docker('inspect', '--format', '{{.Image}} {{.Config.User}}', server)).split(
    ' ',
  )
  await docker('exec', server, 'mkdir', '-m', '0700', `/tappass/data/${SCRATCH}`)
  const child = spawn('docker', runWords(options, image, user), { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdout.resume()
  let isOver = false
  const ended = endOf(child, 'the restored cluster').finally(() => {
    isOver = true
  })
  ended.catch(() => undefined)
  try {
    child.stdin.on('error', () => undefined)
    for await (const piece of base) if (!child.stdin.write(piece)) await Promise.race([drained(child.stdin), ended])
    child.stdin.end()
    await untilReady(container, () => isOver, AbortSignal.timeout(READY_MS_MAX))
    if (isOver) await ended
    return await work()
  } catch (error) {
    if (TOO_SHORT.test((error as Error).message))
      throw new Error('the archived log ends before that time', { cause: error })
    throw error
  } finally {
    await removeScratch(options).catch(() => undefined)
    await ended.catch(() => undefined)
  }
}

function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => stream.once('drain', () => resolve()))
}
