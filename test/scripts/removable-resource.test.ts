/** An uninstall looks for what any settings may have made, whatever they are now, or when they are lost: rows of settings. */
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
  ['drift that is repaired', { drift: { repair: true } }],
  ['the Docker of somebody else', { docker: { adopt: true } }],
  ['Docker of the distribution', { docker: { source: 'distribution' } }],
]
/** No things of their own; entries go with the server that holds them, and instances of the gateway are found by their number (`surplus-instance`). */
const MAKES_NOTHING =
  /^((absent-(unit|file|folder)|required-secret|spire-entries):|packet-filter:ingress$|unit:tappass@\d)/

const PRESENT: readonly (readonly [name: string, written: object])[] = [
  ['the defaults', {}],
  [
    'as little as can be',
    {
      ingress: 'none',
      firewall: 'none',
      drift: { check: 'off' },
      docker: { adopt: true },
      storage: { database: 'external', redis: 'external' },
    },
  ],
]

for (const [name, written, present, settings] of ROWS.flatMap((row) =>
  PRESENT.map((each) => [...row, ...each] as const),
)) {
  test(`an uninstall with ${present} knows what was made with ${name}`, () => {
    const known = new Set(removableResources(specOf(settings), text).map(({ id }) => id))
    const made = recipe(specOf(written), text).flatMap(({ resources }) => resources.map(({ id }) => id))
    assert.deepEqual(
      made.filter((id) => !known.has(id) && !MAKES_NOTHING.test(id)),
      [],
    )
  })
}
