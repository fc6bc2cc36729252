/** The platforms of bundles. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { platformNameOf, readPlatform } from '../../../scripts/bundle/platform.ts'
import { hostTraitsFact } from '../../../scripts/facts/host-trait.ts'
import { bundlePlatform } from '../../../scripts/resources/bundle-platform.ts'
import { blank, systems } from '../roles/blank-host.ts'

for (const system of systems) {
  test(`platform: ${system.id} ${system.version} is one, and a host of it and no other is let in`, async () => {
    const getFact = blank(system)
    const name = platformNameOf(await getFact(hostTraitsFact))
    const { traits } = readPlatform(name)
    assert.deepEqual([traits.codename, platformNameOf(traits)], [system.codename, name])
    assert.deepEqual(await bundlePlatform(name).plan(getFact), [])
    await assert.rejects(bundlePlatform('debian-13-arm64').plan(getFact), { code: 5 })
  })
}

for (const name of [undefined, '', 'debian-11-amd64', 'debian-13', 'debian-13-riscv64'])
  test(`platform: ${name} is none, and all are named`, () =>
    assert.throws(() => readPlatform(name), { code: 64, message: /debian-13-amd64.*ubuntu-26\.04-arm64/ }))
