/** A thread of tests that does what its task says: answers, goes on for ever, waits for ever, takes all memory, throws. */
import { begin, type ThreadTask } from '../../../server/adapters/thread-pool.ts'
import type { Inspection, InspectionTask } from '../../../server/core/inspection.ts'

/** What a task's model makes the thread do. */
const DEEDS: Readonly<Record<string, () => void>> = {
  answer: () => {},
  spin: () => {
    for (;;);
  },
  wait: () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
  eat: () => {
    const eaten: object[] = []
    for (;;) eaten.push({ eaten: eaten.length })
  },
  throw: () => {
    throw new TypeError('cannot read "my secret"')
  },
}

/** Carries out a task. */
export function inspect({ progress, task }: ThreadTask<InspectionTask>): Inspection {
  begin(progress)
  DEEDS[task.call.model]?.()
  return { status: 'inspected', outcomes: [], seen: { model: task.call.model } }
}
