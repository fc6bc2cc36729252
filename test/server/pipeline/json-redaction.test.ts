/** A redaction leaves JSON valid: in a body's text, in strings that are JSON, in texts that only look like it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from '../../../server/core/finding.ts'
import { redactSource } from '../../../server/pipeline/body-redaction.ts'
import { createAliases } from '../../../server/pipeline/id-alias.ts'
import { redactText } from '../../../server/pipeline/redaction.ts'
import { KEY_SUFFIX } from '../../../server/protocol/json-pointer.ts'
import { project, projectSource } from '../../../server/protocol/projection.ts'
import { sequence } from '../rules/fixture.ts'

const CARD = `4111${'1111'.repeat(3)}`
const MARK = '[REDACTED:pii.x]'
const noAlias = () => undefined

/** Redacts every place of a word in a text. */
function without(text: string, word = CARD): string {
  const spans: { kind: string; span: readonly [number, number] }[] = []
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    spans.push({ kind: 'pii.x', span: [at, at + word.length] })
  }
  return redactText(text, spans)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const JSON_TEXTS: readonly (readonly [what: string, text: string, redacted: string, word?: string])[] = [
  ['a number', `{"card":${CARD},"n":1}`, `{"card":"${MARK}","n":1}`],
  ['a negative number', `{"card": -${CARD} }`, `{"card": "${MARK}" }`],
  ['a number with a fraction', `[${CARD}.50,2]`, `["${MARK}",2]`],
  ['a string', `{"card":"no ${CARD}."}`, `{"card":"no ${MARK}."}`],
  ['a key', `{"${CARD}":1, "a":[]}`, `{"${MARK}":1, "a":[]}`],
  ['two keys that become one', `{"${CARD}":1,"1${CARD}":2}`, `{"${MARK}":1,"1${MARK}":2}`],
  ['keys that become the same', `{"${CARD}":1,"${CARD} ":2}`, `{"${MARK}":1,"${MARK} ":2}`],
  ['JSON in JSON', `{"body":"{\\"card\\":${CARD}}"}`, `{"body":"{\\"card\\":\\"${MARK}\\"}"}`],
  [
    'JSON in JSON in JSON',
    JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ card: Number(CARD) }) }) }),
    JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ card: MARK }) }) }),
  ],
  ['a list of numbers', `{"cards":[1,${CARD}, ${CARD}]}`, `{"cards":[1,"${MARK}", "${MARK}"]}`],
  ['behind an escape', '{"body":"Hi\\nbob@x.nl"}', `{"body":"Hi${MARK}"}`, 'nbob@x.nl'],
  ['before an escape', '{"body":"pw=abc\\\\","n":1}', `{"body":"pw=${MARK}\\\\","n":1}`, 'abc\\'],
  ['in an escape', '{"body":"\\u00e9a"}', `{"body":"${MARK}a"}`, '00e9'],
  ['beside odd numbers', `{"n":[1e999,-0,1.0],"c":${CARD}}`, `{"n":[1e999,-0,1.0],"c":"${MARK}"}`],
  ['lines of JSON', `{"c":${CARD}}\n{"c":${CARD}}`, `{"c":"${MARK}"}\n{"c":"${MARK}"}`],
  ['JSON in a fence', `\`\`\`json\n{"c": ${CARD}}\n\`\`\``, `\`\`\`json\n{"c": "${MARK}"}\n\`\`\``],
  ['JSON that is not whole', `{"a":[${CARD}, ${CARD}`, `{"a":["${MARK}", "${MARK}"`],
  ['JSON in a text in half of JSON', `{"a":"{\\"c\\":${CARD}}`, `{"a":"{\\"c\\":\\"${MARK}\\"}`],
  ['prose', `cards: ${CARD}, ${CARD}.`, `cards: ${MARK}, ${MARK}.`],
  ['a text that is a number', CARD, MARK],
  ['a path', 'C:\\bob@x.nl', `C:${MARK}`, 'bob@x.nl'],
]
for (const [what, text, redacted, word] of JSON_TEXTS) {
  test(`a text with ${what}`, () => {
    assert.equal(without(text, word), redacted)
    assert.equal(isJson(redacted), isJson(text) && text !== CARD)
  })
}

test('deeper JSON than can be read is redacted as a text', () => {
  const text = `${'['.repeat(1000)}"${CARD}"${']'.repeat(1000)}`
  assert.equal(without(text), text.replace(CARD, MARK))
})

test('ids stay ids: the same for the same, others for others', () => {
  const call = (id: string) => ({ role: 'assistant', tool_calls: [{ id, function: { name: 'f', arguments: '{}' } }] })
  const said = (id: string) => ({ role: 'tool', tool_call_id: id, content: `see ${id}` })
  const [one, other] = [`call_${CARD}`, `call_${CARD}0`]
  const body = { messages: [call(one), said(one), call(other), said(other)], metadata: { id: one } }
  const findings = project(body)
    .filter(({ text }) => text.includes(CARD))
    .map(({ pointer, text }): Finding => {
      const at = text.indexOf(CARD)
      return { kind: 'pii.x', severity: 'high', pointer, span: [at, at + CARD.length], confidence: 1 }
    })
  const redact = (key: number): typeof body =>
    JSON.parse(redactSource(JSON.stringify(body), findings, ['pii.x'], createAliases(new Uint8Array(32).fill(key))))
  const { messages, metadata } = redact(1) as unknown as {
    messages: { tool_calls?: { id: string }[]; tool_call_id?: string; content?: string }[]
    metadata: object
  }
  const ids = messages.map(({ tool_calls, tool_call_id }) => tool_calls?.[0]?.id ?? tool_call_id)
  assert.deepEqual([ids[0] === ids[1], ids[2] === ids[3], ids[0] === ids[2]], [true, true, false])
  assert.match(ids[0] ?? '', /^redacted_[0-9a-f]{24}$/)
  assert.equal(messages[1]?.content, `see call_${MARK}`)
  assert.deepEqual(metadata, { id: `call_${MARK}` })
  assert.notDeepEqual(redact(2), redact(1))
})

/** Random JSON text as clients write it and JSON.stringify does not: blanks, escapes, numbers, order, names twice. */
function createWriter(seed: number) {
  const next = sequence(seed)
  const upTo = (most: number): number => Math.floor(next() * (most + 1))
  const pick = <Item>(items: readonly Item[]): Item => items[upTo(items.length - 1)] as Item
  const blank = (): string => pick(['', '', '', ' ', '\n  ', '\t', '\r\n'])
  const NUMBERS = ['0', '-0', '1.0', '1e5', '12345678901234567890', '-9223372036854775808', '1e999', '0.1e-7', '1E+2']
  const CHARACTERS = [
    'a',
    'Z',
    '0',
    ' ',
    'é',
    '漢',
    '😀',
    '\\n',
    '\\"',
    '\\\\',
    '\\/',
    '\\u00e9',
    '\\ud83d',
    '\\u0000',
    '\\t',
  ]
  const text = (): string =>
    `"${Array.from({ length: upTo(12) }, () => pick(CHARACTERS)).join('')}${pick(['', '', ' #7#', ' #7#x'])}"`
  const name = (): string => pick(['"a"', '"b"', '"\\u0061"', '"__proto__"', '"~/"', '"10"', '"2"', text()])
  const list = (items: readonly string[], open: string, close: string): string =>
    `${open}${blank()}${items.join(`${blank()},${blank()}`)}${blank()}${close}`
  const value = (depth: number): string => {
    const sort = depth === 0 ? 0.5 * next() : next()
    if (sort < 0.3) return text()
    if (sort < 0.5) return pick([...NUMBERS, 'true', 'false', 'null', String(upTo(1e6))])
    const items = Array.from({ length: upTo(4) }, () => value(depth - 1))
    if (sort < 0.7) return list(items, '[', ']')
    return list(
      items.map((item) => `${name()}${blank()}:${blank()}${item}`),
      '{',
      '}',
    )
  }
  return () => blank() + value(5) + blank()
}

/** The bytes of a text outside of its strings with findings. */
const found = (text: string): readonly Finding[] =>
  project(JSON.parse(text)).flatMap(({ pointer, text: said }) =>
    [...said.matchAll(/#7#/g)].map(
      ({ index }): Finding => ({ kind: 'pii.x', severity: 'low', pointer, span: [index, index + 3], confidence: 1 }),
    ),
  )

test('whatever the JSON: it is sent as it came but for names that stand twice, and redacted in its strings alone', () => {
  const write = createWriter(23)
  for (let round = 0; round < 3000; round++) {
    const source = write()
    const { text } = projectSource(JSON.parse(source), source)
    assert.deepEqual(JSON.parse(text), JSON.parse(source))
    if (!hasDuplicates(source)) assert.equal(text, source)
    const findings = found(text)
    const redacted = redactSource(text, findings, ['pii.x'], noAlias)
    if (findings.length === 0) assert.equal(redacted, text)
    // A finding in a key that is not projected (it is short) stays: only such are left.
    const marked = redacted.replaceAll(/\[REDACTED:pii\.x\](?:~\d)?/g, '#7#')
    assert.equal(marked, text)
    JSON.parse(redacted)
    assert.deepEqual(found(redacted), [])
  }
})

/** A second opinion: an object that gives back fewer members than it was told. */
function hasDuplicates(source: string): boolean {
  const strings = source.match(/"(?:[^"\\]|\\.)*"\s*:/g) ?? []
  const count = (value: unknown): number =>
    typeof value !== 'object' || value === null
      ? 0
      : Object.values(value).reduce(
          (sum: number, one) => sum + count(one),
          Array.isArray(value) ? 0 : Object.keys(value).length,
        )
  return strings.length !== count(JSON.parse(source))
}

test('names that stand twice: what is sent is what was judged', () => {
  const rows: readonly (readonly [source: string, sent: string])[] = [
    ['{"a":1,"b":2,"a":3}', '{"b":2,"a":3}'],
    ['{"a" : 1 , "a" : 2 , "a" : 3 }', '{"a" : 3 }'],
    ['{"a":1,"\\u0061":2}', '{"\\u0061":2}'],
    ['[{"x":{"a":1,"a":2}},{"x":1,"x":{"b":1,"b":[2]}}]', '[{"x":{"a":2}},{"x":{"b":[2]}}]'],
    ['{"a":{"b":1,"b":2},"a":"\\"}"}', '{"a":"\\"}"}'],
    ['{"__proto__":1,"__proto__":2}', '{"__proto__":2}'],
  ]
  for (const [source, sent] of rows) assert.equal(projectSource(JSON.parse(source), source).text, sent)
})

test('a member that is replaced may be as deep as it likes, and is refused', () => {
  const source = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)},"a":1}`
  assert.throws(() => projectSource(JSON.parse(source), source), { name: 'ProjectionError' })
})

test('a long key is redacted, and so is what is under it', () => {
  const key = `${'k'.repeat(1000)}#7#`
  const text = JSON.stringify({ a: { [key]: { [key]: ['#7#'] } } })
  const redacted = redactSource(text, found(text), ['pii.x'], noAlias)
  assert.equal(redacted, text.replaceAll('#7#', MARK))
  assert.ok(
    found(text).every(
      ({ pointer }) => pointer.length < 400 && (pointer.endsWith(KEY_SUFFIX) || pointer.endsWith('/0')),
    ),
  )
})
