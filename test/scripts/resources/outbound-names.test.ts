/** Who is let out, by name: when the list is written, and what is let out before it is asked for. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { GetFact } from '../../../scripts/core/host.ts'
import { contentFact, digestFact, pathFact } from '../../../scripts/facts/path.ts'
import { outboundText } from '../../../scripts/firewall/outbound.ts'
import { outboundNames, outboundOpening } from '../../../scripts/resources/outbound-names.ts'
import { factReaderOf, factRow } from '../known-host.ts'

const PATH = '/etc/tappass/outbound'
const [one, two] = ['tcp 443 one.example.com', 'tcp 443 two.example.com']

const hostWith = (rows: readonly string[] | undefined): GetFact => {
  const text = rows === undefined ? undefined : outboundText(rows)
  const file = { kind: 'file', mode: '0644', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 } as const
  return factReaderOf([
    factRow(pathFact(PATH), text === undefined ? { kind: 'absent' } : file),
    factRow(digestFact(PATH), text === undefined ? undefined : createHash('sha256').update(text).digest('hex')),
    factRow(contentFact(PATH), text),
  ])
}

type Rows = readonly string[] | undefined
const rows: readonly (readonly [name: string, now: Rows, opening: Rows, exact: Rows])[] = [
  ['nothing is closed yet', undefined, undefined, [one, two]],
  ['as it should be', [one, two], undefined, undefined],
  ['a name is new', [one], [one, two], [one, two]],
  ['a name is another one', ['tcp 443 old.example.com'], [...[one, two], 'tcp 443 old.example.com'], [one, two]],
  ['a name is not wanted any more', [one, two, 'udp 53 old.example.com'], undefined, [one, two]],
]

for (const [name, now, opening, exact] of rows) {
  test(`outbound names: ${name}`, async () => {
    for (const [resource, wanted] of [
      [outboundOpening({ rows: [one, two] }), opening],
      [outboundNames({ rows: [one, two] }), exact],
    ] as const) {
      const [change] = await resource.plan(hostWith(now))
      const text = change?.commands.find(({ stdin }) => stdin !== undefined)?.stdin
      assert.equal(text, wanted === undefined ? undefined : outboundText([...wanted].toSorted()))
      assert.equal(
        change?.commands.at(-1)?.argv.join(' '),
        wanted === undefined ? undefined : 'systemctl start tappass-outbound.service',
      )
    }
  })
}
