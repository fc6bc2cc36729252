/** Where each line of a rendered file comes from, and which run brought it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blame } from '../../../scripts/history/blame.ts'
import { markLines, placesOf } from '../../../scripts/history/line-mark.ts'
import { recipe } from '../../../scripts/recipe.ts'
import { blank, specOf, systems, text } from '../roles/blank-host.ts'

const filesOf = async (read: (path: string) => string, written: unknown) => {
  const resources = recipe(specOf(written), read).flatMap((role) => role.resources)
  return (await Promise.all(resources.map(({ files }) => files?.(blank(systems[1]))))).flatMap((each) => each ?? [])
}

/** Files that code makes: settings, versions, sources and settings of apt. */
const MADE_BY_CODE =
  /\/(tappass\.yaml|inputs\.json|versions\.lock|docker\.sources|80tappass-proxy|52tappass-updates|needrestart\/conf\.d\/tappass\.conf)$/

for (const written of [
  {},
  { policy: { engine: 'opa' } },
  { domain: 'gw.example.com', instances: 3, proxy: { https: 'http://proxy.example.com:3128' } },
]) {
  test(`lines: every line of every file has its place in the repository: ${JSON.stringify(written)}`, async () => {
    const [files, twins] = [await filesOf(text, written), await filesOf(markLines(text), written)]
    assert.ok(files.length >= 20, String(files.length))
    for (const { path, content } of files) {
      const places = placesOf(twins.find((twin) => twin.path === path)?.content ?? '', content)
      if (MADE_BY_CODE.test(path)) continue
      assert.ok(places !== undefined, `${path} has no places`)
      const lines = content.replace(/\n$/, '').split('\n')
      assert.equal(places.length, lines.length, path)
      for (const [index, place] of places.entries()) {
        if (place === '') {
          assert.match(lines[index] ?? '', /^Environment="\w*_proxy=/i)
          continue
        }
        const [source = '', number = ''] = place.split(':')
        const template = text(source).split('\n')[Number(number) - 1] ?? ''
        // What stands before the first value is written as it is.
        const literal = template.split(/\{\{|@REVISION@/)[0] ?? ''
        if (template !== '')
          assert.ok(
            lines[index]?.includes(literal.trim()) === true || template.includes('{{') === true,
            `${path}:${index + 1}: ${lines[index]} is not of ${place}: ${template}`,
          )
        if (!template.includes('{{') && !template.includes('@REVISION@'))
          assert.equal(lines[index], template, `${path}:${index + 1}`)
      }
    }
  })
}

test('lines: a text that is another one has no places', () => {
  const read = markLines(() => 'a {{b}}\n{{#if c}}\nd\n{{/if}}\n')
  assert.equal(
    read('units/x.hbs'),
    '\u0001units/x.hbs:1\u0002a {{b}}\n{{#if c}}\n\u0001units/x.hbs:3\u0002d\n{{/if}}\n\u0001\u0002',
  )
  assert.equal(read('versions.yaml').includes('\u0001'), false)
  assert.deepEqual(placesOf('\u0001units/x.hbs:1\u0002a 1\nmore\n\u0001units/x.hbs:3\u0002d', 'a 1\nmore\nd'), [
    'units/x.hbs:1',
    'units/x.hbs:1',
    'units/x.hbs:3',
  ])
  assert.equal(placesOf('\u0001units/x.hbs:1\u0002a 1\n', 'a 2\n'), undefined)
  assert.equal(placesOf('a 1\n', 'a 1\n'), undefined)
})

const rows = [
  { name: 'one run', versions: [[1, 'a\nb\n']], current: 'a\nb\n', lines: ['1 a', '1 b'] },
  {
    name: 'a line that came later',
    versions: [
      [1, 'a\nc\n'],
      [2, 'a\nb\nc\n'],
    ],
    current: 'a\nb\nc\n',
    lines: ['1 a', '2 b', '1 c'],
  },
  {
    name: 'a line that was changed, and back',
    versions: [
      [1, 'a\n'],
      [2, 'b\n'],
      [3, 'a\n'],
    ],
    current: 'a\n',
    lines: ['3 a'],
  },
  { name: 'a line by hand', versions: [[1, 'a\n']], current: 'a\nx\n', lines: ['1 a', 'nobody x'] },
  { name: 'all gone', versions: [[1, 'a\n']], current: '', lines: [] },
  { name: 'no end of line', versions: [[1, 'a\nb']], current: 'a\nb', lines: ['1 a', '1 b'] },
] as const

for (const { name, versions, current, lines } of rows) {
  test(`blame: ${name}`, () => {
    const kept = versions.map(([number, content]) => ({ number, content }))
    assert.deepEqual(
      blame(kept, current).map(({ text: line, number }) => `${number ?? 'nobody'} ${line}`),
      [...lines],
    )
  })
}

test('blame: a line that stays is told by its newest place', () => {
  const versions = [
    { number: 1, content: 'a\n', lines: ['units/x:1'] },
    { number: 2, content: 'n\na\n', lines: ['units/x:1', 'units/x:2'] },
  ]
  assert.deepEqual(blame(versions, 'n\na\n'), [
    { text: 'n', number: 2, place: 'units/x:1' },
    { text: 'a', number: 1, place: 'units/x:2' },
  ])
})
