/** The inventory of what to try again: those that failed, each with its own specification, in the form that `--inventory` reads. */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { parseInventory } from '../../../scripts/inventory/inventory.ts'
import { renderRetryFile, type TargetResult, writeRetryFile } from '../../../scripts/session/retry-file.ts'
import { scratch } from '../known-host.ts'

const result = (name: string, code: TargetResult['code'], config?: string): TargetResult => ({
  target: { name: `root@${name}`, address: { user: 'root', name, port: 22 }, config },
  code,
})

test('retry: those that failed, and no other', () => {
  const codes = [0, 1, 2, 3, 4, 5, 6, 64, 130] as const
  const text = renderRetryFile(codes.map((code) => result(`h${code}`, code, code === 5 ? '/own.yaml' : undefined)))
  const hosts = parseInventory(parse(text ?? ''), 'again.yaml')
  assert.deepEqual(
    hosts.map(({ address, config }) => [address.name, config]),
    ['h1', 'h3', 'h4', 'h5', 'h6', 'h64', 'h130'].map((name) => [name, name === 'h5' ? '/own.yaml' : undefined]),
  )
})

test('retry: a host keeps what it had: groups, settings, secrets', () => {
  const own = {
    where: '/w/hosts.yaml of root@a',
    settings: { instances: 3, opa: { program: '/w/opa' } },
    secrets: { 'openai-api-key': '/w/key.txt' },
  }
  const address = { user: 'root', name: 'a', port: 22 }
  const target = { name: 'root@a', address, config: '/w/a.yaml', groups: ['europe', 'canary'], own }
  const [host, ...others] = parseInventory(parse(renderRetryFile([{ target, code: 1 }]) ?? ''), '/elsewhere/again.yaml')
  assert.deepEqual(others, [])
  assert.deepEqual(host, {
    address: { text: 'root@a', user: 'root', name: 'a', port: undefined },
    groups: ['europe', 'canary'],
    config: '/w/a.yaml',
    settings: own.settings,
    secrets: own.secrets,
  })
})

test('retry: nothing for this machine itself', () => {
  const here = { target: { name: 'this host', address: undefined, config: undefined }, code: 1 } as const
  assert.equal(renderRetryFile([here]), undefined)
})

test('retry: a file of an earlier run goes away when all went well; one that cannot be written is a failure', async (context) => {
  const path = join(scratch(context), 'again.yaml')
  writeFileSync(path, 'old')
  await writeRetryFile(path, [result('a', 0)])
  assert.equal(existsSync(path), false)
  await assert.rejects(writeRetryFile(join(path, 'below', 'x'), [result('a', 1)]), { name: 'Failure', code: 1 })
})
