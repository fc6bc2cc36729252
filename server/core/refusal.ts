/** What a refused client is told: which step saw which kind of thing, never what it was. */
import type { Reason } from './verdict.ts'

const FAMILY: Readonly<Record<string, string>> = {
  pii: 'PII detected',
  secret: 'Secret detected',
  injection: 'Prompt injection detected',
  unicode: 'Hidden text detected',
  exfiltration: 'Exfiltration detected',
  request: 'Request not valid',
  rate: 'Rate limit exceeded',
  step: 'Step did not report',
  policy: 'Policy',
  class: 'Classification',
}

/** Takes the reasons of a refusal, gives one line: `PII detected: EMAIL, PHONE; Secret detected: PRIVATE_KEY`. */
export function refusalText(reasons: readonly Reason[]): string {
  const kinds = new Map<string, Set<string>>()
  for (const { step, kind } of reasons) {
    const [family = '', ...rest] = kind.split('.')
    const title = FAMILY[family] ?? family
    const what = family === 'step' ? `${step} (${rest.join('.')})` : rest.join('_').toUpperCase()
    kinds.set(title, (kinds.get(title) ?? new Set()).add(what))
  }
  return [...kinds].map(([title, whats]) => `${title}: ${[...whats].join(', ')}`).join('; ')
}
