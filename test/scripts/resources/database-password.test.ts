/** The password of a role of the database, as the record of what the database was told last and the credential's file tell of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentFact, digestFact } from '../../../scripts/facts/path.ts'
import { databasePassword } from '../../../scripts/resources/database-password.ts'
import { factRow, planLines, traits } from '../known-host.ts'

const [encrypted, plain] = ['/etc/credstore.encrypted/key', '/etc/credstore/key']
const CHANGE = 'set the password of the database role someone, because key was stored again'

const ROWS = [
  { name: 'told since', record: 'aa\n', digests: { [encrypted]: 'aa' }, wanted: [] },
  { name: 'stored again', record: 'aa\n', digests: { [encrypted]: 'bb' }, wanted: [CHANGE] },
  { name: 'never told', record: undefined, digests: { [encrypted]: 'bb' }, wanted: [CHANGE] },
  { name: 'not there yet', record: undefined, digests: {}, wanted: [] },
  {
    name: 'the other store counts for nothing',
    record: 'aa',
    digests: { [encrypted]: 'aa', [plain]: 'cc' },
    wanted: [],
  },
] as const

for (const { name, record, digests, wanted } of ROWS) {
  test(`database password: ${name}`, async () => {
    const facts = [
      traits(),
      factRow(contentFact('/run/tappass/revision/key'), record),
      ...[encrypted, plain].map((path) => factRow(digestFact(path), (digests as Record<string, string>)[path])),
    ]
    assert.deepEqual(await planLines(databasePassword({ role: 'someone', id: 'key' }), facts), wanted)
  })
}
