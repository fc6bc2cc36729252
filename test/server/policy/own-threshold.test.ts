/** An operator has what nobody can read refused, by one word of a family's row: no Rego changes, no compiler is needed. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { chat, type RunningGateway } from '../running-gateway.ts'
import { base64, FILES, noise } from '../steps/opaque-fixture.ts'
import { cloneGateway } from './clone.ts'

const clone = cloneGateway()
let gateway: RunningGateway
before(async () => {
  const path = join(clone.folder, 'server/rules/families.yaml')
  const given = readFileSync(path, 'utf8')
  const changed = given.replace(/(- name: opaque\n(?: {2}.*\n)*? {2}action: )note/, '$1refuse')
  assert.notEqual(changed, given)
  writeFileSync(path, changed)
  clone.run('server/rules/build.ts')
  gateway = await clone.start()
})
after(async () => {
  await gateway?.close()
  clone.remove()
})

for (const [what, bytes, status] of [
  ['bytes', noise(900), 403],
  ['an archive', Buffer.concat([Buffer.from('PK\x03\x04'), noise(900)]), 403],
  ['a picture', FILES['PNG'] as Buffer, 200],
] as const) {
  test(`${what}: ${status}`, async () => {
    const response = await gateway.post('/v1/chat/completions', chat(`see ${base64(bytes)}`))
    assert.equal(response.status, status)
    assert.equal(gateway.models.received.length, status === 200 ? 1 : 0)
  })
}
