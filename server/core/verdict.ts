/** What the policy decided about a call, and the input that it decided on. */
import type { Author, Stage, ToolNames } from './call.ts'
import type { Severity } from './finding.ts'

/** Why a call was refused: the step and the kind of its finding (`detect_pii`, `pii.email`). */
export type Reason = Readonly<{ step: string; kind: string }>

/** The families of findings that taint a session: all of them, and those that were found in this stage of this call. */
export type Taint = Readonly<{ all: readonly string[]; found: readonly string[] }>

/** The taint of a session that has none. */
export const UNTAINTED: Taint = { all: [], found: [] }

/** `policy` is the revision (SHA-256, hex) of the policy that decided; `decisionId` is in the ledger entry too. */
export type Verdict = Readonly<{ policy: string; decisionId: string; classification: string; taint: Taint }> &
  (
    | Readonly<{ action: 'allow' }>
    | Readonly<{ action: 'redact'; kinds: readonly string[] }>
    | Readonly<{ action: 'hold'; reasons: readonly Reason[] }>
    | Readonly<{ action: 'block'; reasons: readonly Reason[] }>
  )

/** The input of the policy engine: a header and step outcomes, never text. */
export type PolicyInput = Readonly<{
  stage: Stage
  agent: Readonly<{ id: string; org: string }>
  session: Readonly<{ taint: readonly string[] }>
  tools: ToolNames
  model: string
  stream: boolean
  flags: Readonly<Record<string, string>>
  outcomes: readonly Readonly<{
    step: string
    status: 'done' | 'failed' | 'skipped'
    reason: string
    findings: readonly Readonly<{ kind: string; severity: Severity; confidence: number; author: Author }>[]
  }>[]
}>
