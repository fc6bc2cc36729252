/** What worst bodies, answers and streams are made of: long lists, and every structure that JSON may have. */

/** A call, and what the model server answers to it. `chars` is the length of what is measured in it. */
export type Case = Readonly<{
  name: string
  path: string
  body: string
  answer: string | Uint8Array
  isStream: boolean
  headers: Readonly<Record<string, string>>
}>

/** A case whose texts are made when it is its turn: all of them together are a gigabyte. */
export type Given = Readonly<{ name: string; body?: () => string; answer?: () => string | Uint8Array }> &
  Partial<Omit<Case, 'body' | 'answer'>>

/** A whole answer that says something. */
export function answerOf(content: string): string {
  const message = { role: 'assistant', content }
  const choices = [{ index: 0, message, finish_reason: 'stop' }]
  return JSON.stringify({ id: 'a', object: 'chat.completion', model: 'm', choices })
}

/** A list as JSON text, of as many items as have room. */
export function listOf(chars: number, item: (index: number) => string): string {
  const items: string[] = []
  for (let length = 0, index = 0; ; index++) {
    const next = item(index)
    length += next.length + 1
    if (length > chars) return items.join(',')
    items.push(next)
  }
}

/** As much of a text as is so many bytes of JSON. */
export function fitting(chars: number, text: string): string {
  const sample = text.slice(0, 10_000)
  return text.slice(0, (chars * sample.length) / Buffer.byteLength(JSON.stringify(sample)))
}

/** What a member of a body may hold, as JSON text. */
export function structures(chars: number): readonly (readonly [name: string, json: () => string])[] {
  const list = (item: (index: number) => string, share = 1): string => listOf(chars * share, item)
  const half = Math.floor(chars / 2)
  return [
    ['empty lists', () => `[${list(() => '[]')}]`],
    ['empty objects', () => `[${list(() => '{}')}]`],
    ['numbers', () => `[${list(() => '1')}]`],
    ['numbers as no double is', () => `[${list(() => '1.0')}]`],
    ['long numbers', () => `[${list(() => '4111111111111111')}]`],
    ['numbers of many digits', () => `[${list(() => '1'.repeat(30))}]`],
    ['one number', () => `[${'7'.repeat(chars)}]`],
    ['numbers of a thousand digits', () => `[${list(() => `0.${'7'.repeat(1000)}`)}]`],
    ['numbers beyond any double', () => `[${list(() => '1e999')}]`],
    ['short texts', () => `[${list(() => '"a"')}]`],
    ['texts', () => `[${list(() => '"a text of some forty characters, as most"')}]`],
    ['names', () => `{${list((index) => `"k${index}":1`)}}`],
    ['long names', () => `{${list((index) => `"${'k'.repeat(400)}${index}":"a"`)}}`],
    ['names of escapes', () => `{${list((index) => `"${'\\u006b'.repeat(40)}${index}":"a"`)}}`],
    ['names with slashes', () => `{${list((index) => `"${'~/'.repeat(60)}${index}":"a"`)}}`],
    ['long names in lists', () => `[${list((index) => `{"${'k'.repeat(400)}${index}":["a"]}`)}]`],
    ['a text of escapes', () => `["${'\\u00e9'.repeat(chars / 6)}"]`],
    ['texts of escapes', () => `[${list(() => `"${'\\u4e2d'.repeat(60)}"`)}]`],
    ['halves of pairs', () => `[${list(() => `"${'\\ud800'.repeat(60)}"`)}]`],
    ['telling names', () => `{${list((index) => `"password ${index}":"a b c d e f g h i j k l m n o p"`)}}`],
    ['names twice', () => `{${list(() => '"password":"a b c d e f g h i j k l m n o p q r s t u v"')}}`],
    ['a long name above many texts', () => `{"${'k'.repeat(half)}":[${list((index) => `"a${index}"`, 0.5)}]}`],
    ['depth', () => `${'['.repeat(half)}${']'.repeat(half)}`],
    ['lists that are as deep as may be', () => `[${list(() => '['.repeat(90) + ']'.repeat(90))}]`],
    ['a deep text', () => `${'{"a":['.repeat(45)}${list(() => '"a"')}${']}'.repeat(45)}`],
    ['objects that are as deep as may be', () => `[${list(() => `${'{"a":'.repeat(90)}1${'}'.repeat(90)}`)}]`],
    ['JSON in texts', () => JSON.stringify(`[${listOf(chars / 1.3, () => '{"a":"b c"}')}]`)],
  ]
}
