/** However a text is cut into deltas, what leaves is what redacting the whole text gives, and what is found is the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '../../../server/core/finding.ts'
import { mergeSpans, redactText } from '../../../server/core/redaction.ts'
import type { Step } from '../../../server/core/step.ts'
import { finish, openWindow, push, release, scanText, settle } from '../../../server/core/window.ts'
import { step as classify } from '../../../server/steps/classify-data.ts'
import { step as pii } from '../../../server/steps/detect-pii.ts'
import { step as secrets } from '../../../server/steps/detect-secrets.ts'
import { step as output } from '../../../server/steps/scan-output.ts'
import { inspectText } from './call-fixture.ts'
import { EXFILTRATION, HARMLESS_OUTPUT } from './exfiltration-fixture.ts'
import { privateKey, sequence } from './fixture.ts'
import { IMPERSONAL, PERSONAL } from './pii-fixture.ts'
import { NAMED_SECRETS, NO_SECRETS, SECRETS } from './secret-fixture.ts'

const STEPS: readonly Step[] = [classify, pii, secrets, output]
const REACH_CHARS = Math.max(...STEPS.map(({ reachChars }) => reachChars ?? 0))

const look = async (text: string): Promise<readonly Finding[]> =>
  (await Promise.all(STEPS.map((step) => inspectText(step, text)))).flat()

/** Streams deltas through a window with all response steps; everything that is found is taken out. */
async function stream(deltas: readonly string[], heldCharsMax?: number) {
  let window = openWindow(REACH_CHARS, heldCharsMax)
  const kinds = new Set<string>()
  let released = ''
  let isOverfull = false
  const turn = async (): Promise<void> => {
    const settled = settle(window, await look(scanText(window)))
    for (const { kind } of settled.findings) kinds.add(kind)
    isOverfull ||= settled.status === 'overfull'
    const next = release(window, settled, [...kinds])
    window = next.window
    released += next.text
  }
  for (const delta of deltas) {
    window = push(window, delta)
    await turn()
    if (isOverfull) return { kinds: [...kinds].sort(), released, isOverfull }
  }
  window = finish(window)
  await turn()
  return { kinds: [...kinds].sort(), released, isOverfull }
}

async function whole(text: string) {
  const findings = await look(text)
  const kinds = [...new Set(findings.map(({ kind }) => kind))].sort()
  return { kinds, released: redactText(text, findings), isOverfull: false }
}

const PROSE = 'The quick brown fox jumps over the lazy dog, and then some more of it follows. '
const before = PROSE.repeat(5)
const after = ` ${PROSE.repeat(5)}`

const key = privateKey()
const FIXTURES: readonly (readonly [name: string, text: string])[] = [
  ...SECRETS.map(([kind, secret]) => [kind, secret] as const),
  ...NAMED_SECRETS.map(([kind, left, secret, right]) => [kind, left + secret + right] as const),
  ...PERSONAL.map(([kind, left, value, right]) => [kind, left + value + right] as const),
  ...EXFILTRATION,
  ...[...NO_SECRETS, ...IMPERSONAL, ...HARMLESS_OUTPUT].map((text) => ['nothing', text] as const),
  ['marking', 'Classification: Strictly Confidential, TLP:AMBER+STRICT, for internal use only'],
  [
    'adjacent and overlapping',
    'a@b.example.org,c@d.example.org 4111111111111111 4012888888881881 password=x9Y8z7W6v5@h.example.org',
  ],
  ['key in base64', Buffer.from(key).toString('base64')],
  [
    'key in wrapped base64',
    (
      Buffer.from(key)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\n'),
  ],
  ['key in JSON', JSON.stringify({ key })],
  ['card in escapes', [...'4111111111111111'].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('')],
  ['card in binary', [...'card 4111111111111111'].map((c) => c.charCodeAt(0).toString(2).padStart(8, '0')).join(' ')],
  ['mail in percent signs', encodeURIComponent(encodeURIComponent('jan@mail.example.org'))],
  ['card with invisible characters', [...'4111111111111111'].join('\u200b\u2060')],
  ['emoji around a match', '🔑🔑4111111111111111🔑🔑 and 👩‍👩‍👧‍👦'],
]

/** Cuts a text in pieces of 1 to `most` characters. */
function pieces(text: string, most: number, seed: number): readonly string[] {
  const next = sequence(seed)
  const cut: string[] = []
  for (let at = 0; at < text.length; ) {
    const length = 1 + Math.floor(next() * most)
    cut.push(text.slice(at, at + length))
    at += length
  }
  return cut
}

for (const [name, fixture] of FIXTURES) {
  test(`every cut of ${name}: ${fixture.slice(0, 12).replaceAll('\n', ' ')}`, async () => {
    const text = before + fixture + after
    const expected = await whole(text)
    // Long fixtures repeat themselves: every place of the first and last 300, every seventh between.
    for (let at = before.length - 2; at <= before.length + fixture.length + 2; at++) {
      const inside = at - before.length
      if (inside > 300 && inside < fixture.length - 300 && inside % 7 !== 0) continue
      assert.deepEqual(await stream([text.slice(0, at), text.slice(at)]), expected, `cut at ${at}`)
    }
    for (const most of [1, 5, 40, 300]) {
      assert.deepEqual(await stream(pieces(text, most, fixture.length)), expected, `pieces of ${most}`)
    }
    assert.deepEqual(await stream(pieces(fixture, 3, 1)), await whole(fixture), 'alone')
  })
}

test('two fixtures in a row, cut anywhere', async () => {
  const next = sequence(3)
  for (let round = 0; round < 150; round++) {
    const pick = (): string => (FIXTURES[Math.floor(next() * FIXTURES.length)] as readonly [string, string])[1]
    const text = `${before.slice(0, Math.floor(next() * 400))}${pick()}${[' ', '\n', ', ', ''][round % 4]}${pick()}${after}`
    assert.deepEqual(await stream(pieces(text, [1, 20, 90][round % 3] as number, round)), await whole(text), text)
  }
})

test('a match that never ends holds until the window is full, and nothing of it has left', async () => {
  const endless = `${key.slice(0, key.lastIndexOf('\n'))}\n`.concat(`${'QUJD'.repeat(16)}\n`.repeat(2000))
  const { isOverfull, released } = await stream(pieces(before + endless, 900, 1), 20_000)
  assert.equal(isOverfull, true)
  assert.equal(released, before)
})

test('a cut never parts the halves of a surrogate pair', async () => {
  let window = openWindow(3)
  let released = ''
  for (const half of '🔑'.repeat(20)) {
    for (const unit of half.split('')) {
      window = push(window, unit)
      const next = release(window, settle(window, []), [])
      window = next.window
      assert.ok(next.text.isWellFormed())
      released += next.text
    }
  }
  window = finish(window)
  assert.equal(released + release(window, settle(window, []), []).text, '🔑'.repeat(20))
})

test('what is let through is held no longer than its reach', () => {
  const settled = settle(push(openWindow(10), 'x '.repeat(50)), [])
  assert.deepEqual([settled.status, settled.releaseTo, mergeSpans(settled.findings)], ['open', 90, []])
})
