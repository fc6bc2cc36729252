/** Signs checkpoints while the process runs, and raises an alarm when one is missing or the database has lost what was signed. */
import type { FastifyBaseLogger } from 'fastify'
import { createCheckpointFolder, readCheckpointFolder, rememberPublicKey } from '../adapters/checkpoint-folder.ts'
import { createClockState } from '../adapters/clock-state.ts'
import type { Prometheus } from '../adapters/prometheus.ts'
import { readCheckpointOfAny } from '../checkpoint/checkpoint.ts'
import { type Checkpointer, type CheckpointStore, createCheckpointer } from '../checkpoint/checkpointer.ts'
import { createNoteSigner, type NoteSigner } from '../checkpoint/signed-note.ts'
import type { Config } from '../config/config.ts'
import type { Head } from '../core/entry.ts'
import type { Ports } from '../core/ports.ts'
import { alarmEntry } from '../ledger/chain.ts'
import { createCheckpointTable } from '../ledger/checkpoint-table.ts'
import { headOf, lostHeads } from '../ledger/history-check.ts'
import type { ProcessPorts } from './open-ports.ts'

const EVERY_MS = 1000

/** A checkpoint that is later than this is missing. */
const OVERDUE_SECONDS = 3

/** What signs, and what it needs. */
export type CheckpointDependencies = ProcessPorts &
  Readonly<{ ports: Pick<Ports, 'ledger'>; meter: Pick<Prometheus, 'gauge'>; log: FastifyBaseLogger }>

/**
 * Starts signing. Returns what signs the end: it is called when the ledger is closed. Without a key nothing is signed, which
 * only development allows. Throws when the database can't be asked for what was signed before.
 */
export async function signCheckpoints(
  config: Config,
  dependencies: CheckpointDependencies,
): Promise<() => Promise<void>> {
  const pem = config.secrets.TAPPASS_CHECKPOINT_KEY
  if (pem === undefined) return async () => {}
  const signer = createNoteSigner(pem)
  await compareHistory(config, signer, dependencies)
  const checkpointer = createCheckpointer({
    ledger: dependencies.ports.ledger,
    signer,
    stores: storesOf(config, dependencies),
    clock: dependencies.clock,
    clockState: createClockState(dependencies.database, dependencies.clock),
    onFailure: (place, err) => dependencies.log.error({ err, place }, 'a checkpoint was not stored'),
  })
  await checkpointer.sign()
  showOverdue(checkpointer, dependencies)
  const timer = setInterval(() => void tick(checkpointer, dependencies), EVERY_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await checkpointer.sign()
  }
}

function storesOf({ ledger }: Config, { database, log }: CheckpointDependencies): readonly CheckpointStore[] {
  const journal: CheckpointStore = {
    name: 'journal',
    save: async ({ chain, size }, note) => log.info({ chain, size, note }, 'checkpoint'),
  }
  const folder = ledger.checkpointFolder
  return [createCheckpointTable(database), journal, ...(folder === undefined ? [] : [createCheckpointFolder(folder)])]
}

/** Signs, and looks whether the database still has the head that this process has written. */
async function tick(
  checkpointer: Checkpointer,
  { database, ports, meter, log }: CheckpointDependencies,
): Promise<void> {
  try {
    const head = ports.ledger.head()
    await checkpointer.sign()
    showOverdue(checkpointer, { meter })
    const lost = head === undefined ? [] : await lostHeads(database, [head])
    if (lost.length > 0) alarm(lost, { meter, log })
  } catch (err) {
    log.error({ err }, 'the ledger was not compared with its checkpoint')
  }
}

function showOverdue(checkpointer: Checkpointer, { meter }: Pick<CheckpointDependencies, 'meter'>): void {
  const overdue = checkpointer.overdueSeconds()
  const lastMs = checkpointer.lastMs()
  meter.gauge('tappass_ledger_checkpoint_overdue_seconds', overdue)
  if (lastMs !== undefined) meter.gauge('tappass_ledger_checkpoint_timestamp_seconds', lastMs / 1000)
  meter.gauge('tappass_ledger_alarm', overdue > OVERDUE_SECONDS ? 1 : 0, 'checkpoint')
}

/** Compares the database with the checkpoints of earlier processes, which are kept in files; what is lost is recorded. */
async function compareHistory(config: Config, signer: NoteSigner, dependencies: CheckpointDependencies): Promise<void> {
  const { database, ports, meter, log, clock, random } = dependencies
  const folder = config.ledger.checkpointFolder
  meter.gauge('tappass_ledger_alarm', 0, 'history')
  if (folder === undefined) return
  const publicKeys = await rememberPublicKey(folder, signer.publicKey)
  const notes = await readCheckpointFolder(folder)
  const kept = notes.flatMap((note) => {
    const checkpoint = readCheckpointOfAny(note, publicKeys)
    return checkpoint ? [headOf(checkpoint)] : []
  })
  if (kept.length < notes.length)
    log.error({ folder, notes: notes.length, signed: kept.length }, 'checkpoints are not signed')
  const lost = await lostHeads(database, kept)
  if (lost.length === 0) return
  alarm(lost, { meter, log })
  await ports.ledger.append(alarmEntry(lost, clock, random))
}

function alarm(lost: readonly Head[], { meter, log }: Pick<CheckpointDependencies, 'meter' | 'log'>): void {
  meter.gauge('tappass_ledger_alarm', 1, 'history')
  log.error({ lost: lost.slice(0, 10), count: lost.length }, 'the database has lost entries that were signed')
}
