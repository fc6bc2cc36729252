/** An uninstall of a host whose settings are lost looks for what any settings may have made: rows of settings. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recipe, removableResources } from '../../scripts/recipe.ts'
import { specOf, text } from './roles/blank-host.ts'

const ROWS: readonly (readonly [name: string, written: object])[] = [
  ['the defaults', {}],
  ['OPA as a server', { policy: { engine: 'opa' } }],
  ['identities', { identity: { trustDomain: 'example.org' } }],
  ['a tunnel', { ingress: { kind: 'tunnel' } }],
  ['a tunnel beside Caddy', { ingress: { kind: 'both', live: 'both' } }],
  ['no ingress', { ingress: 'none' }],
  ['five instances', { instances: 5 }],
  ['the Docker of somebody else', { docker: { adopt: true } }],
  ['Docker of the distribution', { docker: { source: 'distribution' } }],
]
/** No things of their own; entries go with the server that holds them, and instances of the gateway are found by their number (`surplus-instance`). */
const MAKES_NOTHING = /^((absent-(unit|file|folder)|required-secret|spire-entries):|unit:tappass@\d)/

for (const [name, written] of ROWS) {
  test(`an uninstall knows what was made with ${name}`, () => {
    const known = new Set(removableResources(specOf({}), text).map(({ id }) => id))
    const made = recipe(specOf(written), text).flatMap(({ resources }) => resources.map(({ id }) => id))
    assert.deepEqual(
      made.filter((id) => !known.has(id) && !MAKES_NOTHING.test(id)),
      [],
    )
  })
}
