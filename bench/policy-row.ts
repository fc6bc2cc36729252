/** Inputs of the default policy with what it decides, for every engine that there is. */
import { NO_TOOLS } from '../server/core/call.ts'
import type { PolicyInput } from '../server/core/verdict.ts'

const STEPS =
  'validate_input rate_limit detect_pii detect_secrets detect_unicode classify_data detect_opaque detect_injection'.split(
    ' ',
  )

type Finding = PolicyInput['outcomes'][number]['findings'][number]

/** A request in which one step found something, and the others nothing. */
export function requestWith(
  step: string,
  findings: readonly Finding[],
  flags: Record<string, string> = {},
): PolicyInput {
  return {
    stage: 'request',
    agent: { id: 'bot', org: 'org' },
    session: { taint: [] },
    tools: NO_TOOLS,
    model: 'm',
    stream: false,
    flags,
    outcomes: STEPS.map((name) => ({
      step: name,
      status: 'done',
      reason: '',
      findings: name === step ? findings : [],
    })),
  }
}

/** A finding of a kind. */
export const finding = (kind: string, confidence = 1): Finding => ({
  kind,
  severity: 'high',
  confidence,
  author: 'tool',
})

const OPAQUE = { all: ['opaque'], found: ['opaque'] }

/** Inputs, and what of the verdict is not the same for all of them. */
export const ROWS: readonly (readonly [what: string, input: PolicyInput, verdict: object])[] = [
  ['nothing found', requestWith('', []), { classification: 'PUBLIC', action: 'allow' }],
  [
    'a card number',
    requestWith('detect_pii', [finding('pii.credit_card')]),
    { classification: 'RESTRICTED', action: 'redact', kinds: ['pii.credit_card'] },
  ],
  [
    'a private key',
    requestWith('detect_secrets', [finding('secret.private_key')]),
    {
      classification: 'RESTRICTED',
      action: 'block',
      reasons: [{ step: 'detect_secrets', kind: 'secret.private_key' }],
    },
  ],
  [
    'what nobody can read',
    requestWith('detect_opaque', [finding('opaque.base64')]),
    { taint: OPAQUE, classification: 'INTERNAL', action: 'allow' },
  ],
  [
    'what nobody can read, where the caller wants it refused',
    requestWith('detect_opaque', [finding('opaque.base64')], { opaque: 'block' }),
    {
      taint: OPAQUE,
      classification: 'INTERNAL',
      action: 'block',
      reasons: [{ step: 'detect_opaque', kind: 'opaque.base64' }],
    },
  ],
  [
    'what it does not recognise',
    requestWith('detect_pii', [finding('novelty.x')]),
    {
      classification: 'RESTRICTED',
      action: 'block',
      reasons: [{ step: 'policy', kind: 'policy.unrecognised' }],
    },
  ],
]
