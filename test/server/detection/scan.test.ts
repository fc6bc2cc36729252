/** A scanner: one finding for what covers itself, in the text as it stands, and across the parts of a message. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Match } from '../../../server/detection/pattern.ts'
import { createScanner, InspectionError } from '../../../server/detection/scan.ts'
import { project } from '../../../server/protocol/projection.ts'

const find =
  (kind: string, word: RegExp, confidence = 1) =>
  (text: string): readonly Match[] =>
    [...text.matchAll(new RegExp(word, 'g'))].map(({ index, 0: found }) => ({
      kind,
      severity: 'low',
      confidence,
      start: index,
      end: index + found.length,
    }))

const places = (body: unknown, look: (text: string) => readonly Match[], vague?: ReadonlySet<string>) =>
  createScanner()(project(body), look, vague).map(({ kind, pointer, span }) => [kind, pointer, ...span])

test('the same thing in several readings is one finding', () => {
  assert.deepEqual(places({ a: '\\u0041BCDEFG and ABCDEFG' }, find('x', /ABCDEFG/)), [
    ['x', '/a', 0, 12],
    ['x', '/a', 17, 24],
  ])
})

test('what another finding of its kind covers is left out; a vague one gives way to any', () => {
  const look = (text: string) => [
    ...find('x', /abcdef/)(text),
    ...find('x', /cd/)(text),
    ...find('vague', /bcd/)(text),
    ...find('y', /bcd/)(text),
  ]
  assert.deepEqual(places({ a: '-abcdef-' }, look, new Set(['vague'])), [
    ['x', '/a', 1, 7],
    ['y', '/a', 2, 5],
  ])
})

test('what is cut between two parts of a message has a finding in each', () => {
  const part = (text: string) => ({ type: 'text', text })
  const body = { messages: [{ role: 'user', content: [part('say SEC'), part('RET now'), part('and SECRET')] }] }
  assert.deepEqual(places(body, find('x', /SECRET/)), [
    ['x', '/messages/0/content/0/text', 4, 7],
    ['x', '/messages/0/content/1/text', 0, 3],
    ['x', '/messages/0/content/2/text', 4, 10],
  ])
})

test('parts of different messages are no neighbours', () => {
  const message = (text: string) => ({ role: 'user', content: [{ type: 'text', text }] })
  assert.deepEqual(places({ messages: [message('say SEC'), message('RET now')] }, find('x', /SECRET/)), [])
})

test('more than anybody could judge is refused', () => {
  assert.throws(() => places({ a: 'x '.repeat(10_001) }, find('x', /x/)), InspectionError)
})
