/**
 * A page of the database is damaged: in a copy of it one byte is changed. It has to be found by the checksums of pages and by whoever reads there; then the way back to before the
 * damage is walked.
 */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createStopwatch, type Drill, type DrillContext } from '../drill/drill.ts'
import { type NewestSet, newestSet } from '../drill/newest-set.ts'
import { createScratchCluster, SCRATCH_CONTAINER, type ScratchCluster } from '../drill/scratch-cluster.ts'
import { DATABASE } from '../recovery/backup-host.ts'
import { proveSet } from '../recovery/prove-set.ts'
import { createEmpty, fill } from '../recovery/restored-database.ts'

const COPY = DATABASE.restored
const PAGE_BYTES = 8192

/** Where in a page rows are: they are filled from its end. */
const PLACE = PAGE_BYTES - 64

const LARGEST = `SELECT c.oid::regclass, pg_relation_filepath(c.oid), pg_relation_size(c.oid) FROM pg_class c
  WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY pg_relation_size(c.oid) DESC LIMIT 1`

/** Changes a byte in the middle of the largest table. Returns the table's name. */
async function flipPage(cluster: ScratchCluster): Promise<string> {
  const [row = ''] = await cluster.host.restoreTool.read(COPY, LARGEST)
  const [table = '', path = '', size = ''] = row.split('|')
  await cluster.stop()
  const page = Math.floor(Number(size) / PAGE_BYTES / 2)
  await using file = await open(join(cluster.files, path.replace(/^.*\/(?=base\/)/, '')), 'r+')
  const at = page * PAGE_BYTES + PLACE
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, at)
  await file.write(Buffer.from([(byte[0] ?? 0) ^ 0xff]), 0, 1, at)
  await file.sync()
  return table
}

/** Each page of the cluster that stands still. */
async function findByChecksums({ runOnFiles }: ScratchCluster): Promise<void> {
  const { code, stdout, stderr } = await runOnFiles('pg_checksums', '--check')
  if (code === 0 || !/checksum verification failed/.test(stderr))
    throw new Error(`the damaged page was not found by pg_checksums: it ended with ${code}: ${stdout}${stderr}`)
}

/** Whoever reads there is told so, and gets no other rows instead. */
async function findByReading({ host }: ScratchCluster, table: string): Promise<void> {
  const answer = await host.restoreTool.read(COPY, `SELECT count(row::text) FROM ${table} AS row`).then(
    (rows) => `it was read: ${rows}`,
    (error: Error) => error.message,
  )
  if (!answer.includes('invalid page in block'))
    throw new Error(`the damaged page was not found by reading it: ${answer}`)
}

/** The structure of tables and indexes, where the image has what looks at it. */
async function findByAmcheck({ run }: DrillContext, { host }: ScratchCluster): Promise<string> {
  const [count] = await host.restoreTool.administer(
    "SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'",
  )
  if (count !== '1') return 'amcheck is not in this image: its look at indexes was left out'
  const { code, stdout } = await run([
    ...([
      'docker',
      'exec',
      SCRATCH_CONTAINER,
      'pg_amcheck',
      '--host',
      '/tappass/run',
      '--username',
      'postgres',
    ] as const),
    ...['--install-missing', '--heapallindexed', COPY],
  ])
  if (code === 0) throw new Error('the damaged page was not found by pg_amcheck')
  return `pg_amcheck found it, too: ${stdout.trim().split('\n')[0]}`
}

/** PostgreSQL counts what it has found itself in the database that serves. */
async function failuresSeen({ host }: DrillContext): Promise<void> {
  const [count = '0'] = await host.restoreTool.administer('SELECT sum(checksum_failures) FROM pg_stat_database')
  if (Number(count) > 0)
    throw new Error(
      `the database that SERVES has ${count} damaged pages by its own count: docs/how-to/when-it-breaks.md`,
    )
}

async function copyOf(context: DrillContext, { source }: NewestSet): Promise<ScratchCluster> {
  const cluster = await createScratchCluster(context)
  try {
    await createEmpty(cluster.host, COPY)
    await fill(cluster.host, COPY, source.dump)
    return cluster
  } catch (error) {
    await cluster[Symbol.asyncDispose]()
    throw error
  }
}

/** Makes the copy, damages it and finds it. Returns what is noted. */
async function damageAndFind(
  context: DrillContext,
  set: NewestSet,
  time: ReturnType<typeof createStopwatch>['time'],
): Promise<readonly string[]> {
  await using copy = await copyOf(context, set)
  const table = await flipPage(copy)
  await time('find it: checksums of all pages', () => findByChecksums(copy))
  await copy.start()
  await time('find it: read the table', () => findByReading(copy, table))
  return [`a byte of a page of ${table} was changed`, await findByAmcheck(context, copy)]
}

/** See docs/how-to/drill.md. */
export const drill: Drill = {
  name: 'corruption',
  summary: 'a damaged page in a copy of the database is found, and the newest backup takes its place',
  touches: 'nothing',
  effect: 'takes memory, disk and time beside the service',
  goal: { rtoMs: 15 * 60_000, rpoMs: 26 * 3_600_000 },
  run: async (context) => {
    await failuresSeen(context)
    const watch = createStopwatch(context.clock)
    const set = await newestSet(context)
    const notes = await damageAndFind(context, set, watch.time)
    await using cluster = await watch.time('make a cluster and start it', () => createScratchCluster(context))
    await watch.time('restore the newest backup, until a gateway answers', () =>
      proveSet(cluster.host, set.folder, set.manifest),
    )
    // The making of the copy is no part of it.
    const rtoMs = watch.steps.reduce((sum, { ms }) => sum + ms, 0)
    return { rtoMs, rpoMs: set.ageMs, steps: watch.steps, notes }
  },
}
