/** Answers facts in batches: all questions of one turn of the event loop become one script, one round trip. */
import { isWhole, questionScript, readBatch } from '../connection/batch.ts'
import { Failure } from '../core/failure.ts'
import type { Command, Fact, Joint, Know, Output, Runner } from '../core/host.ts'

type Question = Readonly<{
  fact: Fact<unknown>
  answer: (output: Output) => void
  fail: (reason: unknown) => void
}>

type Process = Readonly<{ command: Command; give: (output: Output) => void }>

function joined(joint: Joint, questions: readonly Question[]): Process {
  const subjects = [...new Set(questions.map(({ fact }) => fact.subject ?? ''))]
  return {
    command: joint.ask(subjects),
    give: (output) => {
      const pieces = joint.split(output, subjects)
      for (const { fact, answer } of questions) {
        answer(pieces.get(fact.subject ?? '') ?? { code: 1, stdout: '', stderr: output.stderr })
      }
    },
  }
}

/** Questions of one kind share a process; each other question has its own. */
function processesOf(questions: readonly Question[]): readonly Process[] {
  const groups = Map.groupBy(questions, ({ fact }) => fact.joint)
  return [...groups].flatMap(([joint, group]) =>
    joint === undefined
      ? group.map(({ fact, answer }) => ({ command: fact.ask, give: answer }))
      : [joined(joint, group)],
  )
}

async function askAll(run: Runner, nonce: string, questions: readonly Question[]): Promise<void> {
  const processes = processesOf(questions)
  const script = questionScript(
    processes.map(({ command }) => command),
    nonce,
  )
  const output = await run({ argv: ['sh'], effect: 'read', stdin: script })
  const outputs = readBatch(output, nonce, processes.length)
  if (outputs.length < processes.length || !isWhole(output, nonce)) {
    const why =
      output.stderr.trim().split('\n').at(-1) || `${outputs.length} of ${processes.length} answers arrived whole`
    throw new Failure({ what: 'the host did not answer all questions', why, next: 'run it again' })
  }
  for (const [index, { give }] of processes.entries()) give(outputs[index] as Output)
}

/**
 * Takes a runner and a source of numbers that nobody can guess (32 hex digits). What was asked once is remembered, so one
 * `Know` is one look at the host; make a new one to look again. Throws what the runner throws, and when an answer was cut.
 */
export function knowing(run: Runner, nonce: () => string): Know {
  const remembered = new Map<unknown, Map<string, Promise<Output>>>()
  let waiting: Question[] = []
  const flush = async (): Promise<void> => {
    const questions = waiting
    waiting = []
    await askAll(run, nonce(), questions).catch((reason) => {
      for (const { fail } of questions) fail(reason)
    })
  }
  const ask = (fact: Fact<unknown>): Promise<Output> =>
    new Promise((answer, fail) => {
      if (waiting.length === 0) setImmediate(flush)
      waiting.push({ fact, answer, fail })
    })
  return async (fact) => {
    const known = remembered.get(fact.joint) ?? new Map<string, Promise<Output>>()
    remembered.set(fact.joint, known)
    const key = fact.joint === undefined ? JSON.stringify([fact.ask.argv, fact.ask.stdin]) : (fact.subject ?? '')
    const output = known.get(key) ?? ask(fact)
    known.set(key, output)
    return fact.parse(await output)
  }
}
