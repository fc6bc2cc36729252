/** The folder of the gateway's SVID while its files change: what fits is taken, what does not is told, and what was there before stays. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { openSvidFolder, type SvidFolder } from '../../../server/adapters/svid-folder.ts'
import { systemClock } from '../../../server/adapters/system.ts'
import { issueAuthority } from '../svid/certificate-fixture.ts'
import {
  AUDIENCE,
  createSvidFolder,
  createTokenKey,
  type FolderContents,
  issueGateway,
  signToken,
  TRUST_DOMAIN,
  writeSvidFolder,
} from '../svid/svid-client.ts'

const authority = issueAuthority(TRUST_DOMAIN)
const nextAuthority = issueAuthority(TRUST_DOMAIN)
const first = issueGateway(authority)
const next = issueGateway(authority)
const tokenKey = createTokenKey('k1')

let path: string
let folder: SvidFolder | undefined
let looks: number
beforeEach(() => {
  path = createSvidFolder()
  looks = 0
})
afterEach(() => {
  folder?.close()
  folder = undefined
  rmSync(path, { recursive: true })
})

async function open(contents: FolderContents): Promise<SvidFolder> {
  await writeSvidFolder(path, contents)
  const demand = { folder: path, trustDomain: TRUST_DOMAIN, audience: AUDIENCE }
  folder = await openSvidFolder(demand, systemClock, () => {
    looks += 1
  })
  return folder
}

const write = (name: string, text: string): void => writeFileSync(join(path, name), text)

/** Resolves when the state is so. */
async function becomes(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20))
}
const certificateOf = ({ state }: SvidFolder): string | undefined => state().set?.texts.certificate
const problemOf = ({ state }: SvidFolder): string => state().problems.join('; ')

test('what is there at the start is taken at once', async () => {
  const opened = await open({ svid: first, authorities: [authority], tokenKeys: [tokenKey] })
  const { set, checkToken, problems, bundleChangedMs } = opened.state()
  assert.equal(set?.spiffeId, AUDIENCE)
  assert.deepEqual(problems, [])
  assert.ok(Math.abs(Date.now() - (bundleChangedMs ?? 0)) < 60_000)
  const token = await signToken(tokenKey, `spiffe://${TRUST_DOMAIN}/a`)
  assert.equal((await checkToken?.(token, Date.now()))?.status, 'valid')
})

test('files that come later are taken when all three are there and fit', async () => {
  const opened = await open({})
  assert.match(problemOf(opened), /svid\.pem is not there/)
  write('svid.pem', first.certificate)
  await becomes(() => /svid_key\.pem is not there/.test(problemOf(opened)))
  await writeSvidFolder(path, { svid: first, authorities: [authority] })
  await becomes(() => opened.state().set !== undefined)
  assert.deepEqual(opened.state().problems, [])
  assert.equal(opened.state().checkToken, undefined)
})

/** Half of a rotation, and what is told of it. */
const HALVES: readonly (readonly [what: string, half: () => void, problem: RegExp])[] = [
  [
    'a new certificate, the old key',
    () => write('svid.pem', next.certificate),
    /svid_key\.pem is not the key of svid\.pem/,
  ],
  ['a new key, the old certificate', () => write('svid_key.pem', next.key), /is not the key of/],
  [
    'a certificate that is cut off',
    () => write('svid.pem', next.certificate.slice(0, 300)),
    /svid\.pem: there is no certificate/,
  ],
  [
    'a key that is cut off',
    () => write('svid_key.pem', next.key.slice(0, 100)),
    /svid_key\.pem: there is no whole private key in it/,
  ],
  ['an empty key', () => write('svid_key.pem', ''), /no whole private key/],
  [
    'a bundle whose last authority is cut off',
    () => write('svid_bundle.pem', authority.certificate + nextAuthority.certificate.slice(0, 300)),
    /svid_bundle\.pem: a certificate in it is cut off/,
  ],
  [
    'a bundle without our authority',
    () => write('svid_bundle.pem', nextAuthority.certificate),
    /does not fit svid_bundle\.pem/,
  ],
  [
    'a file that can not be read',
    () => {
      rmSync(join(path, 'svid_key.pem'))
      mkdirSync(join(path, 'svid_key.pem'))
    },
    /svid_key\.pem can't be read \(EISDIR\)/,
  ],
  ['a file that is gone', () => rmSync(join(path, 'svid_bundle.pem')), /svid_bundle\.pem is not there/],
  [
    'a certificate of another trust domain',
    () => {
      const foreign = issueAuthority('foreign.test')
      write('svid.pem', issueGateway(foreign, { uris: ['spiffe://foreign.test/gateway'] }).certificate)
    },
    /svid_key\.pem is not the key/,
  ],
]

for (const [what, half, problem] of HALVES) {
  test(`${what}: the set before stays, that is told, and a whole set ends it`, async () => {
    const opened = await open({ svid: first, authorities: [authority] })
    half()
    await becomes(() => problem.test(problemOf(opened)))
    assert.equal(certificateOf(opened), first.certificate)
    assert.ok(!problemOf(opened).includes('BEGIN'))
    rmSync(join(path, 'svid_key.pem'), { recursive: true, force: true })
    await writeSvidFolder(path, { svid: next, authorities: [authority, nextAuthority] })
    await becomes(() => certificateOf(opened) === next.certificate)
    assert.deepEqual(opened.state().problems, [])
    assert.equal(opened.state().set?.authorities.length, 2)
  })
}

test('a bundle alone may change, and so may the keys of tokens; each change is told once', async () => {
  const opened = await open({ svid: first, authorities: [authority], tokenKeys: [tokenKey] })
  await writeSvidFolder(path, { authorities: [authority, nextAuthority] })
  await becomes(() => opened.state().set?.authorities.length === 2)
  write('jwt_bundle.json', '{"keys": [')
  await becomes(() => /jwt_bundle\.json/.test(problemOf(opened)))
  assert.ok(opened.state().checkToken, 'the keys before stay')
  const nextKey = createTokenKey('k2')
  await writeSvidFolder(path, { tokenKeys: [nextKey] })
  await becomes(() => problemOf(opened) === '')
  const statusOf = async (key: typeof tokenKey): Promise<unknown> =>
    (await opened.state().checkToken?.(await signToken(key, `spiffe://${TRUST_DOMAIN}/a`), Date.now()))?.status
  assert.deepEqual([await statusOf(tokenKey), await statusOf(nextKey)], ['refused', 'valid'])
  const before = looks
  await new Promise((resolve) => setTimeout(resolve, 1200))
  assert.equal(looks, before, 'nothing changed, nothing is told')
})
