/** Governance flags: what is taken, what is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFamilyRegistry } from '../../../server/core/finding-family.ts'
import { parseFlags } from '../../../server/governance/governance-flag.ts'
import { readFamilies } from '../../../server/rules/rule-source.ts'

const table = createFamilyRegistry(readFamilies()).flags

const TAKEN: readonly (readonly [header: string | undefined, flags: object])[] = [
  [undefined, {}],
  ['', {}],
  ['   ', {}],
  ['pii=mask', { pii: 'mask' }],
  [' pii = block , mode=lockdown,secrets=block', { pii: 'block', mode: 'lockdown', secrets: 'block' }],
  ['mode=enforce', { mode: 'enforce' }],
]

for (const [header, flags] of TAKEN) {
  test(`taken: ${header}`, () => assert.deepEqual(parseFlags(header, table), { status: 'parsed', flags }))
}

const REFUSED: readonly (readonly [header: string, code: string])[] = [
  ['pii', 'flags.malformed'],
  ['pii=', 'flags.malformed'],
  ['pii=mask,', 'flags.malformed'],
  ['pii=mask,pii=block', 'flags.malformed'],
  ['PII=mask', 'flags.malformed'],
  ['{"pii":"mask"}', 'flags.malformed'],
  [`pii=${'m'.repeat(2000)}`, 'flags.malformed'],
  ['mode=observe', 'flags.loosening'],
  ['mode=warn', 'flags.loosening'],
  ['pii=off', 'flags.loosening'],
  ['pii=flag', 'flags.loosening'],
  ['secrets=flag', 'flags.loosening'],
  ['secrets=redact', 'flags.loosening'],
  ['mode=strict', 'flags.unknown'],
  ['tools=denylist:rm', 'flags.unknown'],
  ['__proto__=x', 'flags.unknown'],
  ['constructor=x', 'flags.unknown'],
]

for (const [header, code] of REFUSED) {
  test(`refused: ${header.slice(0, 40)}`, () => {
    const parsed = parseFlags(header, table)
    assert.equal(parsed.status === 'invalid' && parsed.code, code)
  })
}
