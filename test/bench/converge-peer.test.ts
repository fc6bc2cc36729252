/** `bench/host.ts --peers` compares equal work: each tool is told of the same resources. Neither of the others has to be installed. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { convergePeers } from '../../bench/converge-peer.ts'
import { ansibleTask, EQUAL_RESOURCES, type EqualResource, ourResource } from '../../bench/equal-resource.ts'
import { scratch } from '../scripts/known-host.ts'

const machine = { address: '10.0.0.2', key: '/key', knownHosts: '/known' }
const nameOf = (resource: EqualResource): string => ('path' in resource ? resource.path : resource.name)

/** What a resource wants, whatever a tool calls it: its kind goes without saying there. */
const wanted = ({ kind: _, ...rest }: EqualResource): readonly string[] => Object.values(rest).toSorted()

/** The same of Ansible's task: what says how, and not what, is left out. */
function wantedByAnsible(resource: EqualResource): readonly string[] {
  const [options] = Object.values(ansibleTask(resource)) as [Record<string, unknown>]
  const { owner: _o, group: _g, state: _s, system: _y, create_home: _c, enabled: _e, ...rest } = options
  return Object.values(rest).map(String).toSorted()
}

test('there are fifty of them, of each kind, and none twice', () => {
  assert.equal(EQUAL_RESOURCES.length, 50)
  assert.equal(new Set(EQUAL_RESOURCES.map((each) => `${each.kind} ${nameOf(each)}`)).size, 50)
  assert.equal(new Set(EQUAL_RESOURCES.map(({ kind }) => kind)).size, 5)
})

for (const resource of EQUAL_RESOURCES) {
  test(`${resource.kind} ${nameOf(resource)}: ours and Ansible's want the same`, () => {
    assert.ok(ourResource(resource, '').id.endsWith(`:${nameOf(resource)}`))
    assert.deepEqual(wantedByAnsible(resource), wanted(resource))
  })
}

test('pyinfra reads the same list, and has an operation for each kind', (context) => {
  const folder = scratch(context)
  convergePeers.find(({ name }) => name === 'pyinfra')?.prepare(folder, machine)
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'resources.json'), 'utf8')), EQUAL_RESOURCES)
  const deploy = readFileSync(join(folder, 'deploy.py'), 'utf8')
  const kinds = [...deploy.matchAll(/kind == "(\w+)"/g)].map(([, kind]) => kind)
  assert.deepEqual(kinds.toSorted(), [...new Set(EQUAL_RESOURCES.map(({ kind }) => kind))].toSorted())
})

test('Ansible is given one task for each, with pipelining and without facts', (context) => {
  const folder = scratch(context)
  convergePeers.find(({ name }) => name === 'ansible-core')?.prepare(folder, machine)
  const [play] = JSON.parse(readFileSync(join(folder, 'playbook.json'), 'utf8'))
  assert.deepEqual(play.tasks, EQUAL_RESOURCES.map(ansibleTask))
  assert.equal(play.gather_facts, false)
  assert.match(readFileSync(join(folder, 'ansible.cfg'), 'utf8'), /^pipelining = True$/m)
})

/** The end of their output, as it was printed. */
const ends: readonly (readonly [peer: string, said: string, isUnchanged: boolean])[] = [
  ['pyinfra', '    Grand total            50      -         -       50          ', true],
  ['pyinfra', '    Grand total            50      6         -       44          ', false],
  ['ansible-core', '10.0.0.2 : ok=50   changed=0    unreachable=0    failed=0    skipped=0', true],
  ['ansible-core', '10.0.0.2 : ok=50   changed=1    unreachable=0    failed=0    skipped=0', false],
]
for (const [peer, said, isUnchanged] of ends) {
  test(`${peer}: ${isUnchanged ? 'nothing was changed' : 'something was changed'}`, () => {
    const { unchanged } = convergePeers.find(({ name }) => name === peer) ?? { unchanged: /^$/ }
    assert.equal(unchanged.test(said), isUnchanged)
  })
}
