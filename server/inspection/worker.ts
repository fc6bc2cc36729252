/**
 * A thread that looks through large bodies. It loads the same rules and steps as the gateway, with its first task, and keeps
 * them. The gateway's side is adapters/thread-pool.ts.
 */
import { Piscina } from 'piscina'
import { loadSteps } from '../adapters/step-folder.ts'
import { systemClock } from '../adapters/system.ts'
import { begin, type ThreadTask } from '../adapters/thread-pool.ts'
import type { Inspection, InspectionTask, RedactedText, RedactionTask } from '../core/inspection.ts'
import { createEngine } from '../detection/engine.ts'
import { redactCall } from '../pipeline/enforce.ts'
import { createFindingCache } from '../pipeline/finding-cache.ts'
import { createAliases } from '../pipeline/id-alias.ts'
import { type Inspecting, inspectLarge } from '../pipeline/large-inspection.ts'
import { RULE_FUNCTIONS } from '../rules/check/rule-functions.ts'
import { readRuleBook } from '../rules/rule-book.ts'

/** What a thread is started with. The key is that of the ledger's commitments, by which ids get their aliases. */
type Given = Readonly<{ stepFolders: readonly string[]; aliasKey: Uint8Array }>

let inspecting: Promise<Inspecting> | undefined

async function load(): Promise<Inspecting> {
  const { stepFolders } = Piscina.workerData as Given
  const { families, rules } = readRuleBook()
  const { steps } = await loadSteps(stepFolders, createEngine(rules, RULE_FUNCTIONS), families)
  return { steps, clock: systemClock, findingCache: createFindingCache() }
}

/** Looks through a call. */
export async function inspect({ progress, task }: ThreadTask<InspectionTask>): Promise<Inspection> {
  inspecting ??= load()
  const loaded = await inspecting
  begin(progress)
  return inspectLarge(loaded, task)
}

/** Takes findings out of a text. */
export function redact({ progress, task }: ThreadTask<RedactionTask>): RedactedText {
  begin(progress)
  const { aliasKey } = Piscina.workerData as Given
  const { stage, text, findings, kinds } = task
  const redacted = redactCall({ stage, text, body: undefined }, findings, kinds, createAliases(aliasKey))
  return { text: redacted.text ?? '', model: (redacted.body as { model?: unknown }).model }
}
