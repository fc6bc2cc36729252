/** Every file of server/drills is a drill: of its name, with a goal, and with a row on the page. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { durationText } from '../../../contract/duration.ts'
import type { Drill } from '../../../server/drill/drill.ts'
import { execute } from '../../lab/execution.ts'

const root = join(import.meta.dirname, '../../..')
const folder = join(root, 'server/drills')
const names = readdirSync(folder).filter((name) => name.endsWith('.ts'))
const page = readFileSync(join(root, 'docs/how-to/drill.md'), 'utf8')

for (const file of names)
  test(`${file} is a drill, and the page has its goal`, async () => {
    const { drill } = (await import(join(folder, file))) as { drill: Drill }
    assert.equal(`${drill.name}.ts`, file)
    assert.ok(drill.effect !== '' && drill.summary !== '')
    const [row] =
      page.match(new RegExp(`^\\| \`${drill.name}\` \\|.*$`, 'm')) ?? assert.fail(`${drill.name} has no row`)
    const goalOf = (ms: number) => (ms === 0 ? '0' : `≤ ${durationText(ms).replace('.0', '')}`)
    assert.ok(row.includes(`| ${goalOf(drill.goal.rtoMs)} | ${goalOf(drill.goal.rpoMs)} |`), row)
    assert.ok(row.includes(drill.touches === 'service' ? '| yes |' : '| no |'), row)
  })

const PROGRAM = join(root, 'server/drill.ts')
const usage = [['earthquake'], [], ['server', 'corruption'], ['list', 'server']]
for (const words of usage)
  test(`drill.ts ${words.join(' ')}: 64, and the names that there are`, async () => {
    const { code, stderr } = await execute([process.execPath, PROGRAM, ...words, '--root', '/nowhere'])
    assert.equal(code, 64)
    assert.match(stderr, /list\|monthly\|.*server/)
  })

test('list: all of them, never done', async () => {
  const { code, stdout } = await execute([process.execPath, PROGRAM, 'list', '--root', '/nowhere'])
  assert.equal(code, 0)
  const listed = JSON.parse(stdout) as readonly { name: string; last: unknown }[]
  assert.deepEqual(
    listed.map(({ name, last }) => [`${name}.ts`, last]),
    names.toSorted().map((name) => [name, null]),
  )
})
