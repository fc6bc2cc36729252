/** Instances beyond those that are wanted, as systemd tells of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instancesFact, surplusInstance } from '../../../scripts/resources/surplus-instance.ts'
import { argvOf, factReaderOf, factRow, planLines } from '../known-host.ts'

const fact = instancesFact('tappass')

const rows = [
  { name: 'as many as wanted', there: [1, 2], count: 2, stopped: [] },
  { name: 'fewer', there: [1], count: 2, stopped: [] },
  { name: 'one too many', there: [3, 1, 2], count: 2, stopped: [3] },
  { name: 'several, the tenth after the third', there: [10, 1, 3], count: 1, stopped: [3, 10] },
] as const

for (const { name, there, count, stopped } of rows) {
  test(`surplus instances: ${name}`, async () => {
    const changes = await planLines(surplusInstance({ template: 'tappass', count }), [factRow(fact, there)])
    assert.deepEqual(
      changes,
      stopped.map((number) => `stop and disable tappass@${number}.service, because the setting instances is ${count}`),
    )
  })
}

test('surplus instances: systemctl and links are read alike, each number once', () => {
  const stdout = [
    'tappass@1.service loaded active running TapPass gateway, instance 1',
    'tappass@12.service loaded failed failed TapPass gateway, instance 12',
    'tappass@1.service',
    'tappass@3.service',
  ].join('\n')
  assert.deepEqual(fact.parse({ code: 0, stdout, stderr: '' }), [1, 12, 3])
})

test('surplus instances: the name is an argument, never part of the script', async () => {
  const changes = await surplusInstance({ template: 'tappass', count: 0 }).plan(factReaderOf([factRow(fact, [1])]))
  assert.equal(argvOf(changes)[0]?.at(-1), 'tappass@1.service')
})
