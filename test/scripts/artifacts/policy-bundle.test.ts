/** The signed bundle of the policy: what the toolkit looks at before it leaves one as it is, and what a real OPA refuses. Needs: opa. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { generateKeyPair, SignJWT } from 'jose'
import { packTar, unpackTar } from 'modern-tar'
import { POLICY, startOpa, textOf } from '../../../bench/opa-process.ts'
import {
  bundleKey,
  bundleProblem,
  createBundle,
  readPolicyFiles,
  type SignedBundle,
} from '../../../scripts/artifacts/policy-bundle.ts'

const options = {
  policy: POLICY,
  template: textOf('templates/opa/opa.yaml.hbs'),
  bundlePath: '/etc/tappass/opa/x/bundle.tar.gz',
}
const good = await createBundle(options)

type Members = Record<string, string>

/** The bundle with other members. */
async function repacked(
  signed: SignedBundle,
  change: (members: Members) => Members | Promise<Members>,
): Promise<SignedBundle> {
  const members = await unpackTar(gunzipSync(signed.bundle))
  const texts = members.map(({ header, data }) => [header.name, Buffer.from(data ?? []).toString()] as const)
  const changed = await change(Object.fromEntries(texts))
  const tar = await packTar(
    Object.entries(changed).map(([name, body]) => ({ header: { name, size: Buffer.byteLength(body) }, body })),
  )
  return { ...signed, bundle: gzipSync(tar) }
}

const claimsOf = (members: Members): Record<string, unknown> => {
  const { signatures } = JSON.parse(members['.signatures.json'] ?? '') as { signatures: readonly [string] }
  return JSON.parse(Buffer.from(signatures[0].split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}

/** Signs what is there anew, by a key of its own. */
async function resigned(members: Members): Promise<Members> {
  const { privateKey } = await generateKeyPair('ES256')
  const token = await new SignJWT(claimsOf(members)).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
  return { ...members, '.signatures.json': JSON.stringify({ signatures: [token] }) }
}

/** Without its signature's value: `alg` none. */
function unsignedToken(members: Members): Members {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = `${part({ alg: 'none' })}.${part(claimsOf(members))}.`
  return { ...members, '.signatures.json': JSON.stringify({ signatures: [token] }) }
}

const without =
  (name: string) =>
  (members: Members): Members => {
    const { [name]: _, ...rest } = members
    return rest
  }

const edit =
  (name: string, from: string, to: string) =>
  (members: Members): Members => {
    assert.ok(members[name]?.includes(from), `${name}: ${from}`)
    return { ...members, [name]: (members[name] ?? '').replace(from, to) }
  }

type Row = readonly [
  what: string,
  make: (signed: SignedBundle) => SignedBundle | Promise<SignedBundle>,
  problem: RegExp,
]

const BUNDLES: readonly Row[] = [
  ['no signature', (signed) => repacked(signed, without('.signatures.json')), /signature/],
  [
    'an empty list of signatures',
    (signed) => repacked(signed, (all) => ({ ...all, '.signatures.json': '{"signatures":[]}' })),
    /signature/,
  ],
  ['the signature of another key', (signed) => repacked(signed, resigned), /not by the key/],
  ['no algorithm', (signed) => repacked(signed, unsignedToken), /not by the key/],
  [
    'another rule',
    (signed) => repacked(signed, edit('verdict.rego', '"action": "block"', '"action": "allow"')),
    /another policy/,
  ],
  [
    'another threshold',
    (signed) => repacked(signed, edit('data.json', '"confidence_min": 0.5', '"confidence_min": 0.6')),
    /another policy/,
  ],
  [
    'another revision',
    (signed) => repacked(signed, edit('.manifest', POLICY.revision, 'f'.repeat(64))),
    /another policy/,
  ],
  [
    'a module too many',
    (signed) => repacked(signed, (all) => ({ ...all, 'more.rego': 'package more\n' })),
    /another policy/,
  ],
  ['a module too few', (signed) => repacked(signed, without('recognise.rego')), /another policy/],
  [
    'half of the file',
    ({ bundle, config }) => ({ config, bundle: bundle.subarray(0, bundle.length / 2) }),
    /cannot be read/,
  ],
]

for (const [what, make, problem] of BUNDLES) {
  test(`a bundle with ${what}: the toolkit makes it anew`, async () => {
    assert.match(String(await bundleProblem(await make(good), options)), problem)
  })

  test(`a bundle with ${what}: OPA does not take it, and is not ready`, async () => {
    const opa = await startOpa(POLICY, (own) => createBundle(own).then(make))
    try {
      assert.equal((await opa.ask('/health?bundles')).status, 500)
      assert.equal((await opa.ask('/v1/data/tappass/verdict/decision', { input: {} })).text.includes('"result"'), false)
      assert.match(opa.log(), /Bundle load failed/)
    } finally {
      await opa.close()
    }
  })
}

const CONFIGS: readonly (readonly [what: string, change: (config: string) => string])[] = [
  ['for another scope', (config) => config.replaceAll('scope: tappass-policy', 'scope: other')],
  [
    'by another key',
    (config) =>
      config.replace(/(KEY-----\n\s+\S{20})(\S)/, (_, head: string, sign: string) => head + (sign === 'A' ? 'B' : 'A')),
  ],
]

for (const [what, change] of CONFIGS) {
  test(`where OPA demands a signature ${what}, the bundle is refused, by the toolkit too`, async () => {
    assert.notEqual(await bundleProblem({ ...good, config: change(good.config) }, options), undefined)
    const opa = await startOpa(POLICY, async (own) => {
      const signed = await createBundle(own)
      return { ...signed, config: change(signed.config) }
    })
    assert.equal((await opa.ask('/health?bundles')).status, 500)
    await opa.close()
  })
}

test('a good one is left as it is, and taken', async () => {
  assert.equal(await bundleProblem(good, options), undefined)
  const opa = await startOpa()
  assert.equal((await opa.ask('/health?bundles')).status, 200)
  await opa.close()
})

test('two bundles of one policy have two keys, and the private one is in neither', async () => {
  const other = await createBundle(options)
  assert.notEqual(other.config, good.config)
  for (const { bundle, config } of [good, other])
    assert.doesNotMatch(config + gunzipSync(bundle).toString('latin1'), /PRIVATE/)
  assert.notEqual(await bundleProblem({ bundle: other.bundle, config: good.config }, options), undefined)
})

test('a configuration that demands less is made anew', async () => {
  const lax = good.config.replace(/ {4}signing:\n.*\n.*\n/, '')
  assert.notEqual(lax, good.config)
  assert.match(String(await bundleProblem({ ...good, config: lax }, options)), /configuration/)
})

test('a policy that was edited without being built is not signed', () => {
  for (const edited of ['verdict.rego', 'data.json', 'opa/decision_log.rego'])
    assert.throws(
      () => readPolicyFiles((path) => `${textOf(path)}${path.endsWith(edited) ? '\n' : ''}`),
      /is not what policy.lock.json says/,
    )
})

test('another policy, configuration or version is another OPA', () => {
  const keys = [
    bundleKey(options, '1.22.3'),
    bundleKey(options, '1.22.4'),
    bundleKey({ ...options, template: `${options.template} ` }, '1.22.3'),
    bundleKey({ ...options, policy: { ...POLICY, revision: '0' } }, '1.22.3'),
  ]
  assert.equal(new Set(keys).size, keys.length)
  assert.equal(bundleKey(options, '1.22.3'), keys[0])
})

test('the id of the key is text wherever it stands: one of digits alone would be read as a number, and OPA would not start', async () => {
  const { config } = await createBundle(options)
  const [, id] = /^ {2}"([0-9a-f]{16})":$/m.exec(String(config)) ?? []
  assert.ok(id !== undefined && String(config).includes(`      keyid: "${id}"\n`))
})
