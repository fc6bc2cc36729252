/** Inventories: lists of hosts, each once, each with a readable address. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseInventory } from '../../../scripts/spec/inventory.ts'
import { parseYaml } from '../../../scripts/spec/yaml-text.ts'

const read = (text: string) => parseInventory(parseYaml(text, 'hosts.yaml'), 'hosts.yaml')

test('inventory: hosts in order, with what is theirs', () => {
  const text = 'hosts:\n  - address: root@a\n  - { address: "root@b:2222", config: b.yaml }\n'
  assert.deepEqual(read(text), [
    { address: { text: 'root@a', user: 'root', name: 'a', port: undefined }, config: undefined },
    { address: { text: 'root@b:2222', user: 'root', name: 'b', port: 2222 }, config: 'b.yaml' },
  ])
})

const bad = [
  ['', 'is not a valid inventory'],
  ['hosts: []', 'is not a valid inventory'],
  ['hosts: [{ adress: root@a }]', 'is not a valid inventory'],
  ['hosts: [root@a]', 'is not a valid inventory'],
  ['hosts: [{ address: a@ }]', 'is not a host address'],
  ['hosts: [{ address: root@a }, { address: root@a }]', 'lists root@a twice'],
] as const

for (const [text, says] of bad) {
  test(`inventory: ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => read(text),
      (error: Error & { code: number }) => error.code === 64 && error.message.includes(says),
    )
  })
}
