/** The header `traceparent`: what is one, and what it says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTraceparent, parseTraceparent } from '../../../server/core/trace.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const parent = (isSampled: boolean) => ({ traceId: TRACE, spanId: SPAN, isSampled })

for (const [header, says] of [
  [`00-${TRACE}-${SPAN}-01`, parent(true)],
  [`00-${TRACE}-${SPAN}-00`, parent(false)],
  [`00-${TRACE}-${SPAN}-ff`, parent(true)],
  [`cc-${TRACE}-${SPAN}-02-what-comes-later`, parent(false)],
  [`ff-${TRACE}-${SPAN}-01`, undefined],
  [`00-${'0'.repeat(32)}-${SPAN}-01`, undefined],
  [`00-${TRACE}-${'0'.repeat(16)}-01`, undefined],
  [`00-${TRACE.toUpperCase()}-${SPAN}-01`, undefined],
  [`00-${TRACE}-${SPAN}-01x`, undefined],
  [`00-${TRACE.slice(1)}-${SPAN}-01`, undefined],
  ['', undefined],
  [undefined, undefined],
  [[`00-${TRACE}-${SPAN}-01`], undefined],
] as const)
  test(`traceparent ${JSON.stringify(header)}`, () => assert.deepEqual(parseTraceparent(header), says))

test('what is written is read again', () => {
  for (const isSampled of [true, false])
    assert.deepEqual(parseTraceparent(formatTraceparent(parent(isSampled))), parent(isSampled))
})
