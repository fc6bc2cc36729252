/** Reads facts in batches: all requests of one turn of the event loop become one script and one round trip. */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { factScript, inScriptOrder, isComplete, parseBatch } from '../connection/batch.ts'
import { deadlineMsOf, describeCommand } from '../core/command.ts'
import { Failure } from '../core/failure.ts'
import type { BatchQuery, Command, Fact, GetFact, Output, Runner } from '../core/host.ts'

type PendingQuery = Readonly<{
  fact: Fact<unknown>
  resolve: (output: Output) => void
  reject: (reason: unknown) => void
}>

type BatchProcess = Readonly<{ command: Command; onOutput: (output: Output) => void }>

function batchProcess(batchQuery: BatchQuery, queries: readonly PendingQuery[]): BatchProcess {
  const subjects = [...new Set(queries.map(({ fact }) => fact.subject ?? ''))]
  return {
    command: batchQuery.query(subjects),
    onOutput: (output) => {
      const outputs = batchQuery.split(output, subjects)
      for (const { fact, resolve } of queries) {
        resolve(outputs.get(fact.subject ?? '') ?? { code: 1, stdout: '', stderr: output.stderr })
      }
    },
  }
}

/** Queries with the same `batchQuery` share a process; each other query has its own. */
function processesOf(queries: readonly PendingQuery[]): readonly BatchProcess[] {
  const groups = Map.groupBy(queries, ({ fact }) => fact.batchQuery)
  return [...groups].flatMap(([batchQuery, group]) =>
    batchQuery === undefined
      ? group.map(({ fact, resolve }) => ({ command: fact.query, onOutput: resolve }))
      : [batchProcess(batchQuery, group)],
  )
}

const LINES_SHOWN_MAX = 3

/** What the host printed besides the markers of the script, its first lines. */
function foreignOutput({ stdout, stderr }: Output, nonce: string): string {
  return (
    `${stdout}\n${stderr}`
      .split('\n')
      // A terminal would do what they say: colours, titles, answers.
      .map((line) => line.replace(/\p{Cc}/gu, ' ').trim())
      .filter((line) => line !== '' && !line.startsWith(nonce))
      .slice(0, LINES_SHOWN_MAX)
      .join(' | ')
  )
}

function incompleteFailure(output: Output, nonce: string, received: number, expected: number): Failure {
  const printed = foreignOutput(output, nonce)
  if (received > 0 || printed === '') {
    const why = `${received} of ${expected} answers arrived complete${printed === '' ? '' : `; it printed: ${printed}`}`
    return new Failure({ what: 'the answer of the host was incomplete', why, next: 'run the same command again' })
  }
  // cloud-init's forced command for root: Please login as the user "ubuntu" rather than the user "root".
  const account = /as the user "([\w.-]+)"/.exec(printed)?.[1]
  const next =
    account === undefined
      ? 'check command= in ~/.ssh/authorized_keys and the shell start-up files of that account'
      : `connect as that user: --host ${account}@…`
  const what = 'the login succeeded, but the host printed text of its own instead of running the command'
  return new Failure({ what, why: printed, next }, EXIT_CODE.unreachable)
}

/** The first question without an answer is the one that the others waited behind. */
function overdueFailure(seconds: number, unanswered: Command | undefined): Failure {
  const question = unanswered === undefined ? 'the last question' : describeCommand(unanswered)
  return new Failure({
    what: `the host did not answer within ${seconds} s`,
    why: `no answer to: ${question}`,
    next: 'run that on the host to see what it waits for; then run the same command again',
  })
}

async function runQueries(run: Runner, nonce: string, queries: readonly PendingQuery[]): Promise<void> {
  const processes = inScriptOrder(processesOf(queries), ({ command }) => command)
  const script = factScript(
    processes.map(({ command }) => command),
    nonce,
  )
  const deadlineMs = Math.max(...processes.map(({ command }) => deadlineMsOf(command)))
  const output = await run({ argv: ['sh'], effect: 'read', stdin: script, deadlineMs })
  const outputs = parseBatch(output, nonce, processes.length)
  if (output.overdueMs !== undefined) throw overdueFailure(output.overdueMs / 1000, processes[outputs.length]?.command)
  if (outputs.length < processes.length || !isComplete(output, nonce)) {
    throw incompleteFailure(output, nonce, outputs.length, processes.length)
  }
  for (const [index, { onOutput }] of processes.entries()) onOutput(outputs[index] as Output)
}

/**
 * Creates a reader over a runner. `nonce` returns 32 random hex digits. Each fact is queried once and then cached: create another
 * reader for fresh facts. The reader throws what the runner throws, and a `Failure` for an incomplete answer.
 */
export function createFactReader(run: Runner, nonce: () => string): GetFact {
  const cache = new Map<unknown, Map<string, Promise<Output>>>()
  let pending: PendingQuery[] = []
  const flush = async (): Promise<void> => {
    const queries = pending
    pending = []
    await runQueries(run, nonce(), queries).catch((reason) => {
      for (const { reject } of queries) reject(reason)
    })
  }
  const enqueue = (fact: Fact<unknown>): Promise<Output> =>
    new Promise((resolve, reject) => {
      if (pending.length === 0) setImmediate(flush)
      pending.push({ fact, resolve, reject })
    })
  return async (fact) => {
    const outputs = cache.get(fact.batchQuery) ?? new Map<string, Promise<Output>>()
    cache.set(fact.batchQuery, outputs)
    const key =
      fact.batchQuery === undefined ? JSON.stringify([fact.query.argv, fact.query.stdin]) : (fact.subject ?? '')
    const output = outputs.get(key) ?? enqueue(fact)
    outputs.set(key, output)
    return fact.parse(await output)
  }
}
