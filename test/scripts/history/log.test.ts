/** The log of runs, written by the host's own shell on this machine: its chain, runs that were killed, and what was done to it since. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createFactReader } from '../../../scripts/facts/fact-reader.ts'
import { outcomeOf, verifyHistory } from '../../../scripts/history/entry.ts'
import { blameFile } from '../../../scripts/history/file-history.ts'
import { generationLines, historyRow, readGeneration } from '../../../scripts/history/generation-view.ts'
import { historyFact } from '../../../scripts/history/history-fact.ts'
import { beginCommand, endCommand } from '../../../scripts/history/log-command.ts'
import { recordText } from '../../../scripts/history/run-record.ts'
import { hereGuardedIn, nonce, scratch } from '../known-host.ts'

const logIn = (context: TestContext) => {
  const folder = scratch(context)
  const run = hereGuardedIn(folder)
  const file = join(folder, 'x.conf')
  const secret = join(folder, 'x.cred')
  writeFileSync(secret, 'ciphertext')
  const begin = () => {
    const record = recordText({ spec: { 'gateway.callsMax': '7' }, secrets: ['openai-api-key'], planned: [] })
    return run(beginCommand({ operator: 'ada@desk', sshUser: 'root', verb: 'bootstrap', release: '1.0.0-abc' }, record))
  }
  const end = (lines: readonly string[] = [], outcome = 'up-to-date') => {
    const files = [{ path: file, resource: `file:${file}`, sha256: '', lines: [...lines] }]
    const record = recordText({ applied: [{ resource: `file:${file}`, action: 'write' }], files })
    return run(
      endCommand({ outcome, applied: 1 }, record, {
        files: [file, join(folder, 'absent')],
        secrets: [secret],
        images: [],
      }),
    )
  }
  const facts = () => createFactReader(run, nonce)
  const read = async () => verifyHistory(await facts()(historyFact))
  return {
    folder,
    file,
    begin,
    end,
    read,
    facts,
    entries: join(folder, 'history/entries'),
    content: join(folder, 'history/content'),
  }
}

test('log: two runs, and one that was killed between them', async (context) => {
  const { file, begin, end, read, facts, entries, folder } = logIn(context)
  for (const text of ['one\n', undefined, 'one\ntwo\n']) {
    assert.equal((await begin()).code, 0)
    if (text === undefined) continue
    writeFileSync(file, text)
    assert.equal((await end()).code, 0)
  }
  const { generations, problems } = await read()
  assert.deepEqual(problems, [])
  assert.deepEqual(generations.map(outcomeOf), ['up-to-date', 'interrupted', 'up-to-date'])
  assert.deepEqual(historyRow(generations[2] as never).slice(2), [
    'ada@desk as root',
    'bootstrap',
    'up-to-date',
    '1',
    '1.0.0-abc',
  ])
  assert.deepEqual(readdirSync(entries), [
    '000001-begun.json',
    '000001-ended.json',
    '000002-begun.json',
    '000002-interrupted.json',
    '000003-begun.json',
    '000003-ended.json',
  ])
  assert.equal(statSync(join(folder, 'history')).mode & 0o777, 0o700)
  const record = await readGeneration(facts(), generations[2] as never)
  const lines = generationLines(generations[2] as never, record).join('\n')
  for (const words of [/gateway\.callsMax: 7/, /0644 \S+ [0-9a-f]{12} \S+x\.conf/, /[0-9a-f]{12} \S+x\.cred/])
    assert.match(lines, words)
  assert.doesNotMatch(lines, /absent|ciphertext/)
  const blamed = await blameFile(facts(), generations, file)
  assert.deepEqual(
    blamed?.lines.map(({ text, number }) => [text, number]),
    [
      ['one', 1],
      ['two', 3],
    ],
  )
})

test('log: an end without a begin is not written', async (context) => {
  const { begin, end, read } = logIn(context)
  assert.equal((await end()).code, 75)
  await begin()
  assert.equal((await end()).code, 0)
  assert.equal((await end()).code, 75)
  assert.deepEqual((await read()).problems, [])
})

test('log: no run yet', async (context) => {
  const { read } = logIn(context)
  assert.deepEqual(await read(), { generations: [], problems: [], head: '' })
})

const edit = (path: string, from: string | RegExp, to: string): void => {
  const text = readFileSync(path, 'utf8')
  assert.match(text, typeof from === 'string' ? new RegExp(from) : from)
  writeFileSync(path, text.replace(from, to))
}

/** What somebody with root's rights did to the log of three runs, and where it shows. */
const damages: readonly Readonly<{
  name: string
  damage: (entries: string, content: string) => void
  says: readonly RegExp[]
}>[] = [
  {
    name: 'another operator',
    damage: (entries) => edit(join(entries, '000001-begun.json'), 'ada', 'eve'),
    says: [/^000001-ended\.json: the entry before it is not/],
  },
  {
    name: 'another number of the last',
    damage: (entries) => edit(join(entries, '000003-ended.json'), '"number":3', '"number":4'),
    says: [/^000003-ended\.json: it is the one of 000004-ended/],
  },
  {
    name: 'a run taken out',
    damage: (entries) => {
      rmSync(join(entries, '000002-begun.json'))
      rmSync(join(entries, '000002-ended.json'))
    },
    says: [/^000003-begun\.json: the entry before it is not/, /^000003-begun\.json: the run before it is missing/],
  },
  {
    name: 'an end taken out',
    damage: (entries) => rmSync(join(entries, '000002-ended.json')),
    says: [/^000003-begun\.json: the entry before/, /^000003-begun\.json: the end of the run before it is missing/],
  },
  {
    name: 'nonsense',
    damage: (entries) => writeFileSync(join(entries, '000002-begun.json'), 'x\n'),
    says: [
      /^000002-begun\.json: it is no entry/,
      /^000002-ended\.json: the entry before/,
      /^000002-ended\.json: its begin is missing/,
    ],
  },
  {
    name: 'a record that was changed',
    damage: (_, content) => {
      const [first = ''] = readdirSync(content)
      edit(join(content, first), /^/, ' ')
    },
    says: [/: its record \S+ was changed/],
  },
  {
    name: 'a record taken out',
    damage: (_, content) => {
      const name = readdirSync(content).find((each) =>
        readFileSync(join(content, each), 'utf8').startsWith('{"planned"'),
      )
      rmSync(join(content, name ?? ''))
    },
    says: [/^000001-begun\.json: its record \S+ is missing/, /^000002-begun/, /^000003-begun/],
  },
]

for (const { name, damage, says } of damages) {
  test(`log: ${name}`, async (context) => {
    const { begin, end, read, entries, content } = logIn(context)
    for (let count = 0; count < 3; count++) {
      await begin()
      await end([], String(count))
    }
    damage(entries, content)
    const { problems } = await read()
    const missed = says.filter((pattern) => !problems.some((problem) => pattern.test(problem)))
    assert.deepEqual([missed, problems.length >= says.length], [[], true], problems.join('\n'))
  })
}
