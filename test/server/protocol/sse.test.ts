/** Reading server-sent events: framing, and that cuts change nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEventReader, EVENT_CHARS_MAX, formatEvent, KEEP_ALIVE, SseError } from '../../../server/protocol/sse.ts'

function eventsOf(parts: Iterable<Uint8Array>): readonly string[] {
  const reader = createEventReader()
  const events = [...[...parts].map(reader.read), reader.end()].flatMap((read) => read.events)
  return events.map(({ data }) => data)
}

const ROWS: readonly (readonly [what: string, text: string, events: readonly string[]])[] = [
  ['one', 'data: a\n\n', ['a']],
  ['without the blank', 'data:a\n\n', ['a']],
  ['one blank is taken off, not two', 'data:  a\n\n', [' a']],
  ['several lines', 'data: a\ndata: b\n\n', ['a\nb']],
  ['an empty line of data', 'data\n\ndata:\n\n', ['', '']],
  ['carriage returns', 'data: a\r\n\r\ndata: b\r\rdata: c\n\n', ['a', 'b', 'c']],
  ['comments, names and ids', ': hello\nevent: x\nid: 3\nretry: 5\ndata: a\n\n', ['a']],
  ['no data, no event', 'event: x\n\n\n\n', []],
  ['a field that begins like data', 'database: x\n\ndata: a\n\n', ['a']],
  ['a byte order mark', '\ufeffdata: a\n\n', ['a']],
  ['characters of several bytes', 'data: ö漢👩\n\n', ['ö漢👩']],
  ['an end without an empty line', 'data: a\n\ndata: b', ['a', 'b']],
  ['an end after one line break', 'data: a\n', ['a']],
  ['[DONE]', 'data: {}\n\ndata: [DONE]\n\n', ['{}', '[DONE]']],
]

for (const [what, text, events] of ROWS) {
  test(`reads the same for every cut: ${what}`, () => {
    const bytes = Buffer.from(text)
    for (let at = 0; at <= bytes.length; at++) {
      assert.deepEqual(eventsOf([bytes.subarray(0, at), bytes.subarray(at)]), events, `cut at ${at}`)
    }
    assert.deepEqual(eventsOf([...bytes].map((byte) => Uint8Array.of(byte))), events, 'byte by byte')
  })
}

test('an event without an end is refused before it fills the memory', () => {
  const part = Buffer.alloc(1024 * 1024, 'x')
  const parts = Array.from({ length: EVENT_CHARS_MAX / part.length + 2 }, () => part)
  assert.throws(() => eventsOf([Buffer.from('data: '), ...parts]), SseError)
  const lines = Array.from({ length: EVENT_CHARS_MAX / part.length + 2 }, () =>
    Buffer.concat([Buffer.from('data: '), part, Buffer.from('\n')]),
  )
  assert.throws(() => eventsOf(lines), SseError)
})

// A reader that looks at what it holds with every piece takes minutes for this.
test('a large event in small pieces costs no more than its length', { timeout: 60_000 }, () => {
  const bytes = Buffer.from(`data: ${'x'.repeat(EVENT_CHARS_MAX - 64)}\n\n`)
  const parts = Array.from({ length: Math.ceil(bytes.length / 64) }, (_, index) =>
    bytes.subarray(index * 64, index * 64 + 64),
  )
  assert.equal(eventsOf(parts)[0]?.length, EVENT_CHARS_MAX - 64)
})

test('an event that is written is read', () => {
  assert.deepEqual(eventsOf([Buffer.from(formatEvent('{"a":"b"}') + formatEvent('[DONE]'))]), ['{"a":"b"}', '[DONE]'])
})

test('names of events are told, and that there was a comment', () => {
  const reader = createEventReader()
  const read = (text: string) => reader.read(Buffer.from(text))
  assert.deepEqual(read('event: error\ndata: a\n\ndata: b\n\n'), {
    events: [
      { name: 'error', data: 'a' },
      { name: undefined, data: 'b' },
    ],
    hasComment: false,
  })
  assert.deepEqual(read(KEEP_ALIVE), { events: [], hasComment: true })
  assert.deepEqual(read('\n'), { events: [], hasComment: false })
})
