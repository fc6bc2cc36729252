/** Host certificates: made by ssh-keygen, shown by a real sshd, and believed where ssh believes them. Needs: sshd. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { certificateProblem, parseHostCertificate } from '../../../scripts/connection/host-certificate.ts'
import type { SshAccess } from '../../../scripts/connection/ssh-access.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import { connectSsh } from '../../../scripts/runners/ssh.ts'
import { scratch } from '../known-host.ts'
import { startSshServer } from './ssh-server.ts'

const keygen = (...words: readonly string[]) => execFileSync('ssh-keygen', ['-q', ...words], { stdio: 'ignore' })
const blobIn = (path: string): Buffer => Buffer.from(readFileSync(path, 'utf8').split(' ')[1] ?? '', 'base64')

const makeKey = (path: string, type: string, bits: number | undefined): string => {
  keygen('-t', type, ...(bits === undefined ? [] : ['-b', `${bits}`]), '-N', '', '-f', path)
  return path
}

/** Signs a public key; `words` say for what. */
const sign = (authority: string, key: string, words: readonly string[]): Buffer => {
  keygen('-s', authority, '-I', 'a name', ...words, `${key}.pub`)
  return blobIn(`${key}-cert.pub`)
}

const HOST = ['-h', '-n', '127.0.0.1,gw.example.com']
const kinds = [
  ['ed25519', undefined],
  ['ecdsa', 256],
  ['ecdsa', 384],
  ['ecdsa', 521],
  ['rsa', 3072],
] as const

for (const [type, bits] of kinds) {
  const name = `${type} ${bits ?? ''}`.trim()
  test(`host certificate: signed with ${name}, and of such a key: read, and no byte of it is another`, (context) => {
    const folder = scratch(context)
    const authority = makeKey(join(folder, 'ca'), type, bits)
    const signed = makeKey(join(folder, 'key'), 'ed25519', undefined)
    const certificate = sign(authority, signed, HOST)
    const read = parseHostCertificate(certificate)
    assert.deepEqual(read?.key, blobIn(`${signed}.pub`))
    assert.deepEqual([read?.authority, read?.names], [blobIn(`${authority}.pub`), ['127.0.0.1', 'gw.example.com']])
    for (let index = 0; index < certificate.length; index += 7) {
      const changed = Buffer.from(certificate)
      changed[index] = (changed[index] ?? 0) ^ 1
      assert.equal(parseHostCertificate(changed), undefined, `byte ${index}`)
      assert.equal(parseHostCertificate(certificate.subarray(0, index)), undefined, `cut at ${index}`)
    }
    const own = sign(
      makeKey(join(folder, 'other'), 'ed25519', undefined),
      makeKey(join(folder, 'own'), type, bits),
      HOST,
    )
    // A certificate of an RSA key is none that could be asked for.
    if (type === 'rsa') assert.equal(parseHostCertificate(own), undefined)
    else assert.deepEqual(parseHostCertificate(own)?.key, blobIn(join(folder, 'own.pub')))
  })
}

const NOW = Date.parse('2026-06-01T00:00:00Z')
const judged = [
  ['for its name', HOST, '127.0.0.1', undefined],
  ['for another name in capitals', HOST, 'GW.example.com', undefined],
  ['for a pattern', ['-h', '-n', '*.example.com'], 'gw.example.com', undefined],
  ['for other names', ['-h', '-n', 'a.example'], 'gw.example.com', /is for a\.example/],
  ['for no name', ['-h'], 'gw.example.com', /is for no name/],
  ['that has ended', [...HOST, '-V', '20200101:20210101'], '127.0.0.1', /expired on 2021/],
  ['that begins later', [...HOST, '-V', '20300101:20310101'], '127.0.0.1', /valid from 20(29|30)/],
  ['of a user', ['-n', '127.0.0.1'], '127.0.0.1', /of a user/],
  ['with an option', [...HOST, '-O', 'critical:x@example.com=1'], '127.0.0.1', /critical options/],
] as const

test('host certificate: what it speaks for', (context) => {
  const folder = scratch(context)
  const [authority, key] = [
    makeKey(join(folder, 'ca'), 'ed25519', undefined),
    makeKey(join(folder, 'k'), 'ed25519', undefined),
  ]
  for (const [name, words, host, says] of judged) {
    const certificate = parseHostCertificate(sign(authority, key, words)) ?? assert.fail(name)
    const problem = certificateProblem(certificate, host, NOW)
    if (says === undefined) assert.equal(problem, undefined, name)
    else assert.match(problem ?? '', says, name)
  }
})

/** `certificates`: the keys of the server that have one, and for what; `lines` of known_hosts, with the keys put in. */
type Row = Readonly<{
  name: string
  certificates: Readonly<Partial<Record<'ed25519' | 'ecdsa', readonly string[]>>>
  lines: (
    keys: Readonly<Record<'authority' | 'other' | 'ed25519' | 'ecdsa', string>>,
    host: string,
  ) => readonly string[]
  refused?: RegExp
}>

const rows: readonly Row[] = [
  {
    name: 'signed',
    certificates: { ed25519: HOST },
    lines: ({ authority }, host) => [`@cert-authority ${host} ${authority}`],
  },
  {
    name: 'signed, by a pattern',
    certificates: { ecdsa: HOST },
    lines: ({ authority }) => [`@cert-authority * ${authority}`],
  },
  {
    name: 'signed, beside an older key of its own',
    certificates: { ed25519: HOST },
    lines: ({ authority, other }, host) => [`${host} ${other}`, `@cert-authority ${host} ${authority}`],
  },
  {
    name: 'not signed, but its own key is known',
    certificates: {},
    lines: ({ authority, ed25519 }, host) => [`@cert-authority ${host} ${authority}`, `${host} ${ed25519}`],
  },
  {
    name: 'not signed',
    certificates: {},
    lines: ({ authority }, host) => [`@cert-authority ${host} ${authority}`],
    refused: /names a certificate authority, and the server shows no certificate/,
  },
  {
    name: 'signed by another one',
    certificates: { ed25519: HOST },
    lines: ({ other }, host) => [`@cert-authority ${host} ${other}`],
    refused: /is signed by another one: ssh-ed25519 SHA256:/,
  },
  {
    name: 'for other names',
    certificates: { ed25519: ['-h', '-n', 'a.example'] },
    lines: ({ authority }, host) => [`@cert-authority ${host} ${authority}`],
    refused: /its certificate is for a\.example/,
  },
  {
    name: 'ended',
    certificates: { ed25519: [...HOST, '-V', '20200101:20210101'] },
    lines: ({ authority }, host) => [`@cert-authority ${host} ${authority}`],
    refused: /its certificate expired on 2021/,
  },
  {
    name: 'by an authority that is revoked',
    certificates: { ed25519: HOST },
    lines: ({ authority }, host) => [`@cert-authority ${host} ${authority}`, `@revoked * ${authority}`],
    refused: /revokes the key of the server's certificate or its authority/,
  },
  {
    name: 'of a key that is revoked',
    certificates: { ed25519: HOST },
    lines: ({ authority, ed25519 }, host) => [`@cert-authority ${host} ${authority}`, `@revoked * ${ed25519}`],
    refused: /revoke/,
  },
]

const serverOf = async (context: TestContext, { certificates }: Row) => {
  const folder = scratch(context)
  const paths = {
    authority: makeKey(join(folder, 'ca'), 'ed25519', undefined),
    other: makeKey(join(folder, 'x'), 'ed25519', undefined),
  }
  const server = await startSshServer((file) =>
    Object.entries(certificates).map(([type, words]) => {
      sign(paths.authority, file(`host-${type}`), words)
      return `HostCertificate ${file(`host-${type}-cert.pub`)}`
    }),
  )
  context.after(() => server.stop())
  const pub = (path: string) => readFileSync(`${path}.pub`, 'utf8').trim()
  return { server, keys: { ...server.hostKeys, authority: pub(paths.authority), other: pub(paths.other) } }
}

for (const row of rows) {
  test(`host certificate: a server, ${row.name}: ${row.refused === undefined ? 'believed' : 'refused'}, as by ssh`, async (context) => {
    const { server, keys } = await serverOf(context, row)
    const { address } = server
    const known = server.file('known', `${row.lines(keys, `[127.0.0.1]:${address.port}`).join('\n')}\n`)
    const access: SshAccess = { ...server.access, knownHosts: [known] }
    const options = [
      '-F',
      'none',
      '-o',
      'BatchMode=yes',
      '-o',
      'StrictHostKeyChecking=yes',
      '-o',
      'GlobalKnownHostsFile=/dev/null',
    ]
    const words = [
      ...options,
      '-o',
      `UserKnownHostsFile=${known}`,
      '-i',
      access.identities[0] ?? '',
      '-p',
      `${address.port}`,
    ]
    const { status } = spawnSync('ssh', [...words, `${address.user}@127.0.0.1`, 'true'], { stdio: 'ignore' })
    assert.equal(status, row.refused === undefined ? 0 : 255, 'what ssh does')
    if (row.refused === undefined) {
      const connection = await connectSsh(address, access)
      assert.equal((await connection.runAsUser({ argv: ['true'], effect: 'read' })).code, 0)
      await connection.close()
      return
    }
    const failure = await connectSsh(address, access).then(
      () => assert.fail('believed'),
      (error: unknown) => error,
    )
    assert.ok(failure instanceof Failure && failure.code === 6, String(failure))
    assert.match(failure.text.why ?? '', row.refused)
    assert.match(failure.text.next ?? '', /ssh-keygen|grep -n @revoked/)
  })
}
