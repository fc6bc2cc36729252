/** Which files of the controller went into a host: what is kept of them plans the same, and cannot be opened. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inputsText, parseInputs, withInputs } from '../../../scripts/artifacts/sent-file.ts'
import { missingInputs } from '../../../scripts/converge/kept-run.ts'
import { planAll } from '../../../scripts/converge/plan.ts'
import { recipe } from '../../../scripts/recipe.ts'
import type { HostSpec } from '../../../scripts/spec/host-spec.ts'
import { blank, specOf, systems, text, writtenBy } from '../roles/blank-host.ts'

const sha256 = (digit: string) => digit.repeat(64)
const file = (name: string, digit: string) => ({ file: `/home/ada/${name}`, sha256: sha256(digit) })
const image = (digit: string) => ({
  file: '/home/ada/image.tar',
  imageId: `sha256:${sha256(digit)}`,
  layers: [`sha256:${sha256('e')}`],
})

/** Everything from files of the operator. */
const given = (): HostSpec => {
  const spec = specOf({
    identity: { trustDomain: 'example.org' },
    policy: { engine: 'opa' },
    ingress: { kind: 'both' },
  })
  const archives = { node: '1', caddy: '2', cloudflared: '3', spire: '4', spiffeHelper: '5' }
  return {
    ...spec,
    ...(Object.fromEntries(
      Object.entries(archives).map(([name, digit]) => [name, { archive: file(name, digit) }]),
    ) as Pick<HostSpec, 'node' | 'caddy' | 'cloudflared' | 'spire' | 'spiffeHelper'>),
    images: { postgres: { archive: image('a') }, redis: { archive: image('b') } },
    opa: { program: file('opa', '6') },
    ...(spec.site === 'none' ? {} : { site: { ...spec.site, wheels: file('wheels', '7') } }),
  }
}

const plan = (spec: HostSpec) =>
  planAll(
    recipe(spec, text).flatMap(({ resources }) => resources),
    blank(systems[3]),
  )

test('sent files: no path and no name of the operator’s machine is kept', () => {
  const kept = inputsText(given())
  assert.doesNotMatch(kept, /home|ada|\.tar/)
  assert.equal(Object.keys(parseInputs(kept)?.files ?? {}).length, 7)
})

test('sent files: with what is kept of them the plan writes the same files, and names each change that needs a file', async () => {
  const without = specOf({
    identity: { trustDomain: 'example.org' },
    policy: { engine: 'opa' },
    ingress: { kind: 'both' },
  })
  const again = withInputs(without, parseInputs(inputsText(given())) ?? assert.fail())
  const [first, second, bare] = await Promise.all([plan(given()), plan(again), plan(without)])
  const changes = ({ planned }: typeof first) => planned.flatMap((each) => each.changes)
  assert.deepEqual(writtenBy(changes(second)), writtenBy(changes(first)))
  assert.notDeepEqual(writtenBy(changes(bare)), writtenBy(changes(first)))
  const needing = missingInputs(second).map(({ where = '' }) => where.split(':')[0])
  assert.deepEqual(
    Object.fromEntries(
      Object.entries(Object.groupBy(needing, (kind) => kind ?? '')).map(([kind, all]) => [kind, all?.length]),
    ),
    {
      ...{ image: 2, program: 1, archive: 5, 'virtual-environment': 1 },
    },
  )
  assert.deepEqual(missingInputs(first), [])
})

test('sent files: a host without any keeps that', () => {
  assert.deepEqual(parseInputs(inputsText(specOf())), { files: {}, images: {} })
})

for (const [name, written] of [
  ['no JSON', '{'],
  ['a path', JSON.stringify({ files: { node: '/etc/shadow' }, images: {} })],
  ['a key that there is not', JSON.stringify({ files: { bash: sha256('a') }, images: {} })],
  ['an image with a file', JSON.stringify({ files: {}, images: { redis: { ...image('a') } } })],
  ['nothing', ''],
  ['a list', '[]'],
] as const) {
  test(`sent files: ${name} is refused whole`, () => {
    assert.equal(parseInputs(written), undefined)
  })
}
