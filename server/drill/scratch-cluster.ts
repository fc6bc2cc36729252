/**
 * A PostgreSQL of a drill's own: the image that serves, another container without a network, a cluster that is made new, and the roles of the host with its
 * passwords. Nobody but the drill knows of it.
 */

import { chown, mkdir, readFile, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROLE } from '../../contract/database-role.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { credentialId } from '../../contract/secret.ts'
import { confinedWords } from '../adapters/container/container-tool.ts'
import { postgresRestore } from '../adapters/container/postgres-restore.ts'
import { type BackupHost, backupFolderOf, CONTAINER, DATABASE, pathOn } from '../recovery/backup-host.ts'
import { type DrillContext, demand, type ProgramEnd } from './drill.ts'

const READY_TRIES = 600
const READY_PAUSE_MS = 100

/** What the server keeps of its log, and what an empty cluster takes. */
const SPARE_BYTES = 512 * 1024 ** 2

/**
 * `host` is one whose database is this cluster. `start` and `stop` end with the server serving, or ended in order; `files` is where the cluster is, and `runOnFiles`
 * runs one of PostgreSQL's programs on them, which it may read only.
 */
export type ScratchCluster = AsyncDisposable &
  Readonly<{
    host: BackupHost
    files: string
    runOnFiles: (program: string, ...words: readonly string[]) => Promise<ProgramEnd>
    start: () => Promise<void>
    stop: () => Promise<void>
  }>

/** The name of its container. */
export const SCRATCH_CONTAINER = 'tappass-drill'

async function checkSpace({ host, folder }: DrillContext): Promise<void> {
  const [size = '0'] = await host.restoreTool.administer(`SELECT pg_database_size('${DATABASE.live}')`)
  const { bavail, bsize } = await statfs(folder)
  const [free, needed] = [bavail * bsize, 2 * Number(size) + SPARE_BYTES]
  if (free < needed)
    throw new Error(`${folder} has ${free} bytes free, and a drill may need ${needed}: free space there`)
}

/** The server's own limits: it has to leave memory to the one that serves. */
function runArguments(image: string, user: string, data: string, socket: string, configFolder: string) {
  return [
    ...(['docker', 'run', '--detach', '--name', SCRATCH_CONTAINER, '--log-driver', 'local'] as const),
    ...confinedWords(user),
    ...['--memory', '384m', '--memory-swap', '384m', '--pids-limit', '128'],
    ...['--shm-size', '64m', '--ulimit', 'core=0', '--stop-signal', 'SIGINT', '--stop-timeout', '60'],
    ...['--tmpfs', '/tmp:rw,noexec,nosuid,nodev,size=64m', '--tmpfs', '/var/lib/postgresql/data:ro,size=4k'],
    ...['--mount', `type=bind,source=${configFolder},target=/tappass/etc,readonly`],
    ...['--mount', `type=bind,source=${data},target=/tappass/data`],
    ...['--mount', `type=bind,source=${socket},target=/tappass/run`],
    ...['--entrypoint', '/bin/sh', image, '/tappass/etc/start.sh'],
    ...['-c', 'shared_buffers=64MB', '-c', 'max_connections=20', '-c', 'max_wal_size=256MB'],
  ] as const
}

async function untilReady({ run }: DrillContext): Promise<void> {
  for (let tries = 0; tries < READY_TRIES; tries += 1) {
    const { code, stderr } = await run([
      'docker',
      'exec',
      SCRATCH_CONTAINER,
      'pg_isready',
      '--quiet',
      '--host',
      '/tappass/run',
    ])
    if (code === 0) return
    if (stderr.includes('is not running')) break
    await sleep(READY_PAUSE_MS)
  }
  const { stdout, stderr } = await run(['docker', 'logs', '--tail', '5', SCRATCH_CONTAINER])
  throw new Error(`the PostgreSQL of the drill does not serve: ${(stdout + stderr).trim()}`)
}

/** The passwords are those of the host, so that a gateway of it is let in. They come on standard input. */
async function setRoles({ host, run }: DrillContext): Promise<void> {
  const read = async (name: 'POSTGRES_OWNER_PASSWORD' | 'POSTGRES_PASSWORD') =>
    (await readFile(join(host.credentials ?? '', credentialId(name)))).toString('base64')
  const lines = [await read('POSTGRES_OWNER_PASSWORD'), await read('POSTGRES_PASSWORD')]
  await demand(
    run,
    [
      ...(['docker', 'exec', '--interactive', SCRATCH_CONTAINER, 'psql', '--no-psqlrc', '--quiet'] as const),
      ...['--host', '/tappass/run', '--username', ROLE.superuser, '--dbname', 'postgres'],
      ...['--file', '/tappass/etc/role.sql'],
    ],
    `${lines.join('\n')}\n`,
  )
}

/** Removes what a drill has left that was killed: its container and its files. */
export async function clearScratch({ run, folder }: DrillContext): Promise<void> {
  await run(['docker', 'rm', '--force', '--volumes', SCRATCH_CONTAINER])
  await rm(folder, { recursive: true, force: true })
}

/** Makes the folders and gives them to the account of the server. */
async function layFolders(own: BackupHost, user: string): Promise<Readonly<{ data: string; socket: string }>> {
  const [data, socket] = [pathOn(own, HOST_PATH.postgresFolder), pathOn(own, HOST_PATH.postgresSocketFolder)]
  const [uid = 0, gid = 0] = user.split(':').map(Number)
  for (const path of [data, socket]) {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await chown(path, uid, gid)
  }
  // The gateway of a proof has its checkpoints there.
  await mkdir(backupFolderOf(own), { recursive: true })
  return { data, socket }
}

async function create(context: DrillContext): Promise<ScratchCluster> {
  const { host, folder, run } = context
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await checkSpace(context)
  const [image = '', user = ''] = (
    await demand(run, ['docker', 'inspect', '--format', '{{.Image}} {{.Config.User}}', CONTAINER])
  ).split(' ')
  const own: BackupHost = { ...host, root: folder, restoreTool: postgresRestore(SCRATCH_CONTAINER, ROLE) }
  const { data, socket } = await layFolders(own, user)
  const argv = runArguments(image, user, data, socket, pathOn(host, HOST_PATH.postgresConfigFolder))
  const start = async (): Promise<void> => {
    await demand(run, argv)
    await untilReady(context)
  }
  const stop = async (): Promise<void> => {
    await demand(run, ['docker', 'stop', '--time', '60', SCRATCH_CONTAINER])
    await demand(run, ['docker', 'rm', '--volumes', SCRATCH_CONTAINER])
  }
  const files = join(data, 'cluster')
  const runOnFiles: ScratchCluster['runOnFiles'] = (program, ...words) =>
    run([
      ...(['docker', 'run', '--rm'] as const),
      ...confinedWords(user),
      ...['--mount', `type=bind,source=${files},target=/tappass/cluster,readonly`],
      ...['--entrypoint', program, image, ...words, '--pgdata', '/tappass/cluster'],
    ])
  await start()
  await setRoles(context)
  return {
    ...{ host: own, files, runOnFiles, start, stop },
    [Symbol.asyncDispose]: () => clearScratch(context),
  }
}

/** Makes the cluster and starts it. It goes, with its files, when it is disposed of, and when it can't be made. */
export async function createScratchCluster(context: DrillContext): Promise<ScratchCluster> {
  await clearScratch(context)
  try {
    return await create(context)
  } catch (error) {
    await clearScratch(context)
    throw error
  }
}
