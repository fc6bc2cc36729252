/** Governance flags: what is taken, what is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFamilyRegistry } from '../../../server/core/finding-family.ts'
import { parseFlagHeaders, parseFlags } from '../../../server/governance/governance-flag.ts'
import { readFamilies } from '../../../server/rules/rule-source.ts'

const table = createFamilyRegistry(readFamilies()).flags

const TAKEN: readonly (readonly [header: string | undefined, flags: object])[] = [
  [undefined, {}],
  ['', {}],
  ['   ', {}],
  ['pii=mask', { pii: 'mask' }],
  [' pii = block , mode=lockdown,secrets=block', { pii: 'block', mode: 'lockdown', secrets: 'block' }],
  ['mode=enforce', { mode: 'enforce' }],
  ['mode=strict', { mode: 'lockdown' }],
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
  ['mode=lax', 'flags.unknown'],
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

const MERGED: readonly (readonly [one: string | undefined, other: string | undefined, result: object | string])[] = [
  ['pii=mask', undefined, { pii: 'mask' }],
  [undefined, 'pii=mask', { pii: 'mask' }],
  ['', 'pii=block', { pii: 'block' }],
  ['mode=enforce', 'pii=block', { mode: 'enforce', pii: 'block' }],
  ['pii=block, secrets=block', 'secrets=block,mode=lockdown', { pii: 'block', secrets: 'block', mode: 'lockdown' }],
  ['mode=strict', 'mode=lockdown', { mode: 'lockdown' }],
  ['pii=mask', 'pii=block', 'flags.malformed'],
  ['mode=enforce', 'mode=strict', 'flags.malformed'],
  ['mode=enforce', 'pii=off', 'flags.loosening'],
  ['pii=off', 'mode=enforce', 'flags.loosening'],
  ['mode=enforce', 'colour=red', 'flags.unknown'],
  ['mode=enforce', 'pii', 'flags.malformed'],
]
for (const [one, other, result] of MERGED) {
  test(`merged: ${one} and ${other}`, () => {
    const parsed = parseFlagHeaders([one, other], table)
    assert.deepEqual(parsed.status === 'invalid' ? parsed.code : parsed.flags, result)
  })
}
