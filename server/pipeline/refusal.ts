/** What a client is told of a refusal: the error's code, its message, the field, the reasons, and one line of text. */
import type { Call } from '../core/call.ts'
import { type ErrorCode, errorRow } from '../core/errors.ts'
import type { Finding } from '../core/finding.ts'
import { type FamilyRegistry, familyOf } from '../core/finding-family.ts'
import type { StepOutcome } from '../core/step.ts'
import type { Reason, Verdict } from '../core/verdict.ts'

/**
 * A refusal. `text` names the families of the reasons: `PII detected: EMAIL, PHONE; Secret detected: PRIVATE_KEY`;
 * `message` is for people who see nothing else, `param` the field of the request that it is about.
 */
export type Refusal = Readonly<{
  status: 'refused'
  code: ErrorCode
  reasons: readonly Reason[]
  text: string
  message: string
  param: string | null
}>

/** Titles of reasons that are no findings: those that the gateway and the policy give themselves. */
const OWN_TITLES: Readonly<Record<string, string>> = { step: 'Step did not report', policy: 'Policy' }

/** Invalid fields that a message names. */
const PROBLEMS_MAX = 3

/** Given a verdict that refuses, and what was found, returns the refusal. */
export function refusalOf(
  verdict: Verdict,
  { stage }: Pick<Call, 'stage'>,
  registry: FamilyRegistry,
  findings: readonly Finding[] = [],
  outcomes: readonly StepOutcome[] = [],
): Refusal {
  const reasons = 'reasons' in verdict ? verdict.reasons : []
  const refused = verdict.action === 'hold' ? 'approval.required' : refusalCode(reasons, stage, registry)
  const code = (refused === 'governance.unavailable' ? failureCode(outcomes, stage) : undefined) ?? refused
  const text = refusalText(reasons, registry)
  const cause = findings.find(({ expected }) => expected !== undefined) ?? surest(findings, reasons[0]?.kind)
  const param = stage === 'request' && cause ? fieldOf(cause.pointer) : null
  return { status: 'refused', code, reasons, text, message: refusalMessage(code, reasons, text, findings), param }
}

function surest(findings: readonly Finding[], kind: string | undefined): Finding | undefined {
  return findings
    .filter((finding) => finding.kind === kind)
    .reduce<Finding | undefined>((most, one) => (most && most.confidence >= one.confidence ? most : one), undefined)
}

/** The same call would be too much again, so it must not be told to come again; another answer may not. */
const TOO_MUCH = { request: 'request.too_complex', response: 'upstream.malformed' } as const
const BUSY = { request: 'gateway.busy', response: 'gateway.busy' } as const

/** The error by how a step failed: more than can be looked through, deeper, nothing that can be taken out, or too many calls at once. */
const FAILURE_CODES: Readonly<Record<string, Readonly<Record<Call['stage'], ErrorCode>>>> = {
  InspectionError: TOO_MUCH,
  RangeError: TOO_MUCH,
  RedactionError: TOO_MUCH,
  OverloadError: BUSY,
}

function failureCode(outcomes: readonly StepOutcome[], stage: Call['stage']): ErrorCode | undefined {
  const codes = outcomes.map((outcome) =>
    outcome.status === 'failed' ? FAILURE_CODES[outcome.reason]?.[stage] : undefined,
  )
  return codes.find((code) => code !== undefined)
}

/**
 * Given the reasons of a block, returns the error for the client. A content reason takes precedence: clients retry a
 * 503 and a 429, and must not retry what policy refused.
 */
function refusalCode(reasons: readonly Reason[], stage: Call['stage'], registry: FamilyRegistry): ErrorCode {
  const codes = new Set(reasons.map(({ kind }) => codeOf(kind, registry)))
  for (const code of ['request.invalid', 'governance.unavailable', 'rate.exceeded'] as const) {
    if (codes.has(code) && !codes.has('policy.blocked')) return code
  }
  return stage === 'request' ? 'policy.blocked' : 'policy.blocked_response'
}

function codeOf(kind: string, registry: FamilyRegistry): ErrorCode {
  if (kind.startsWith('step.') || kind === 'policy.unavailable') return 'governance.unavailable'
  return familyOf(registry, kind)?.code ?? 'policy.blocked'
}

function refusalText(reasons: readonly Reason[], registry: FamilyRegistry): string {
  const kinds = new Map<string, Set<string>>()
  for (const { step, kind } of reasons) {
    const [family = '', ...rest] = kind.split('.')
    const title = OWN_TITLES[family] ?? familyOf(registry, kind)?.title ?? family
    const what = family === 'step' ? `${step} (${rest.join('.')})` : rest.join('_').toUpperCase()
    kinds.set(title, (kinds.get(title) ?? new Set()).add(what))
  }
  return [...kinds].map(([title, whats]) => withoutEcho(title, [...whats])).join('; ')
}

/** "Rate limit exceeded: EXCEEDED" says one thing twice. */
function withoutEcho(title: string, whats: readonly string[]): string {
  const more = whats.filter((what) => !title.toUpperCase().endsWith(` ${what}`))
  return more.length === 0 ? title : `${title}: ${more.join(', ')}`
}

/** The table's message with what was the reason, and in brackets the steps that gave it. */
function refusalMessage(
  code: ErrorCode,
  reasons: readonly Reason[],
  text: string,
  findings: readonly Finding[],
): string {
  const message = errorRow(code).message.replace(/\.$/, '')
  const steps = [...new Set(reasons.map(({ step }) => step))].join(', ') || 'policy'
  if (code !== 'request.invalid') return text === '' ? `${message} (${steps})` : `${message}: ${text} (${steps})`
  const problems = findings.flatMap(({ pointer, expected }) =>
    expected === undefined ? [] : [`${fieldOf(pointer) ?? 'the body'} ${expected}`],
  )
  return `${message}: ${problems.slice(0, PROBLEMS_MAX).join('; ') || text} (${steps})`
}

/**
 * Given a pointer, returns the field as OpenAI writes it (`messages[0].content`), up to a name that the client may have
 * made up; null when that is the first.
 */
export function fieldOf(pointer: string): string | null {
  let field = ''
  for (const token of pointer.split('/').slice(1)) {
    if (/^\d{1,6}$/.test(token)) field += `[${token}]`
    else if (/^[a-z][a-z_]{0,31}$/.test(token)) field += field === '' ? token : `.${token}`
    else break
  }
  return field === '' ? null : field
}
