/** Secrets: when one is made, when that is refused, and that no value shows itself. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { ProvidedSecret } from '../../../scripts/artifacts/artifact.ts'
import type { Fact, GetFact } from '../../../scripts/core/host.ts'
import { hostTraitsFact } from '../../../scripts/facts/host-trait.ts'
import type { PathState } from '../../../scripts/facts/path.ts'
import { pathFact } from '../../../scripts/facts/path.ts'
import { type SecretOptions, secret } from '../../../scripts/resources/secret.ts'
import { storedAtFact } from '../../../scripts/secrets/secret-fact.ts'
import { argvOf, scratch, trixie } from '../known-host.ts'

const there = { kind: 'file', mode: '0600', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 9 } as const
const [encrypted, plain, data] = ['/etc/credstore.encrypted/key', '/etc/credstore/key', '/var/lib/data']
const value = ['open', 'sesame'].join('-')
const provided: ProvidedSecret = { sha256: createHash('sha256').update(value).digest('hex'), readValue: () => value }

type Host = Readonly<{
  paths: readonly string[]
  mode?: string
  isSame?: boolean
  isReadable?: boolean
  store?: 'encrypted' | 'plain'
  storedAt?: number
}>

/** Answers by what is asked about: paths that exist, the comparison of a value, the traits. */
const knowOf =
  ({ paths, mode = '0600', isSame = false, isReadable = true, store = 'encrypted', storedAt }: Host): GetFact =>
  async <T>(fact: Fact<T>): Promise<T> => {
    const answer = (found: unknown) => found as T
    if (JSON.stringify(fact.query) === JSON.stringify(storedAtFact('key').query)) return answer(storedAt)
    if ((fact as unknown) === hostTraitsFact) return answer({ ...trixie, credentialStore: store })
    const state = (path: string): PathState => (paths.includes(path) ? { ...there, mode } : { kind: 'absent' })
    const path = [encrypted, plain, data].find(
      (each) => JSON.stringify(pathFact(each).query) === JSON.stringify(fact.query),
    )
    return answer(path !== undefined ? state(path) : fact.query.stdin === undefined ? isReadable : isSame)
  }

const made: SecretOptions = { id: 'key', generate: 'token', guard: [data], isShownOnce: true }

const rows: readonly Readonly<{ name: string; options: SecretOptions; host: Host; changes: readonly string[] }>[] = [
  { name: 'absent', options: made, host: { paths: [] }, changes: ['generate the secret key, because it is absent'] },
  { name: 'up to date', options: made, host: { paths: [encrypted, data] }, changes: [] },
  { name: 'plain where systemd can not encrypt', options: made, host: { paths: [plain], store: 'plain' }, changes: [] },
  {
    name: 'readable by all',
    options: made,
    host: { paths: [plain], store: 'plain', mode: '0644' },
    changes: ['set owner and mode of /etc/credstore/key, because its mode is 0644, not 0600'],
  },
  {
    name: 'provided, in the place of one that can not be decrypted',
    options: { ...made, provided },
    host: { paths: [encrypted, data], isReadable: false },
    changes: ['store the secret key, because another value was provided'],
  },
  {
    name: 'provided, absent, though data are there',
    options: { ...made, provided },
    host: { paths: [data] },
    changes: ['store the secret key, because it is absent'],
  },
  {
    name: 'provided, the same',
    options: { id: 'key', provided },
    host: { paths: [encrypted], isSame: true },
    changes: [],
  },
  {
    name: 'provided, another',
    options: { id: 'key', provided },
    host: { paths: [encrypted] },
    changes: ['store the secret key, because another value was provided'],
  },
  {
    name: 'provided, another, which is staged beside it',
    options: { ...made, guard: [], isStaged: true, provided },
    host: { paths: [encrypted] },
    changes: [],
  },
  {
    name: 'provided where nothing can be staged: the one that is there can not be decrypted',
    options: { ...made, isStaged: true, provided },
    host: { paths: [encrypted], isReadable: false },
    changes: ['store the secret key, because another value was provided'],
  },
  {
    name: 'older than its rotation asks for',
    options: { ...made, guard: [], replacedBefore: 1000 },
    host: { paths: [encrypted], isSame: true, storedAt: 999 },
    changes: ['generate the secret key, because its rotation was asked for'],
  },
  {
    name: 'stored by this very rotation',
    options: { ...made, guard: [], replacedBefore: 1000 },
    host: { paths: [encrypted], isSame: true, storedAt: 1000 },
    changes: [],
  },
]

for (const { name, options, host, changes } of rows) {
  test(`secret: ${name}`, async () => {
    const planned = await secret(options).plan(knowOf(host))
    assert.deepEqual(
      planned.map(({ action, reason }) => `${action}, because ${reason}`),
      changes,
    )
  })
}

for (const [paths, next] of [
  [
    [encrypted, data],
    /^restore \/var\/lib\/systemd\/credential\.secret, or provide it: tappass bootstrap --secret key=FILE$/,
  ],
  [[encrypted], /or remove it, and the next run generates a new one: rm \/etc\/credstore\.encrypted\/key$/],
] as const) {
  test(`secret: one that can not be decrypted is refused; there are ${paths.join(', ')}`, async () => {
    await assert.rejects(
      secret(made).plan(knowOf({ paths, isReadable: false })),
      (failure: Error & { code: number; text: { next: string } }) => {
        assert.equal(failure.message, 'cannot decrypt the secret key')
        assert.match(failure.text.next, next)
        return failure.code === 5
      },
    )
  })
}

test('secret: never generated again while data need the old one; the failure says what to restore', async () => {
  await assert.rejects(
    secret(made).plan(knowOf({ paths: [data] })),
    (failure: Error & { text: Record<string, string> }) => {
      assert.equal(failure.message, 'the secret key is missing')
      assert.match(failure.text['why'] ?? '', /\/var\/lib\/data/)
      assert.match(failure.text['next'] ?? '', /restore \/etc\/credstore\.encrypted\/key/)
      return true
    },
  )
})

for (const [paths, store] of [
  [[encrypted, data], 'encrypted'],
  [[plain, data], 'plain'],
] as const) {
  test(`secret: another value is refused while data need the one on the host (${store})`, async () => {
    await assert.rejects(
      secret({ ...made, provided }).plan(knowOf({ paths, store })),
      (failure: Error & { code: number; text: Record<string, string> }) => {
        assert.match(failure.message, /^the secret key of this host is another one/)
        assert.match(failure.text['why'] ?? '', /\/var\/lib\/data/)
        assert.match(failure.text['next'] ?? '', /^leave out --secret key=FILE/)
        return failure.code === 5
      },
    )
  })
}

test('secret: a value stands on standard input, and in nothing that is shown', async () => {
  const changes = await secret({ id: 'key', provided }).plan(knowOf({ paths: [] }))
  const [command] = changes[0]?.commands ?? []
  assert.equal(command?.stdin, value)
  assert.ok(
    !JSON.stringify([argvOf(changes), changes.map(({ action, reason, diff }) => [action, reason, diff])]).includes(
      value,
    ),
  )
  assert.ok(!JSON.stringify(provided).includes(value))
})

test('secret: the marker of one that was not shown yet is written before the secret', async () => {
  const [change] = await secret(made).plan(knowOf({ paths: [] }))
  const script = change?.commands[0].argv[2] ?? ''
  assert.ok(script.indexOf('"$4/$1"') < script.indexOf('mv -fT'))
  assert.equal(change?.commands[0].argv.at(-1), '/var/lib/tappass/unshown')
})

test('secret: a run that is killed while it stores one leaves no plaintext behind', async (context) => {
  const folder = scratch(context)
  const [change] = await secret({ id: 'key', provided }).plan(knowOf({ paths: [], store: 'plain' }))
  const [, , script = '', ...args] = change?.commands[0].argv ?? []
  mkdirSync(join(folder, 'tappass-secret.earlier'))
  const moved = args.map((word) => word.replace('/etc', folder))
  const shell = ['-euc', script.replaceAll('/run/', `${folder}/`), ...moved]
  const child = spawn('sh', shell, { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.write(value)
  const kept = () => {
    const descriptor = `/proc/${child.pid}/fd/3`
    try {
      // Before it is that file, it is the pipe from which the shell takes the file's name: who reads that takes it away.
      return readlinkSync(descriptor).endsWith('(deleted)') ? readFileSync(descriptor, 'utf8') : ''
    } catch {
      return ''
    }
  }
  // Its input has not ended, so it is in the middle of storing, and holds the whole value.
  while (kept() !== value) {
    assert.equal(child.exitCode, null, 'it ended before it had its input')
    await pause(5)
  }
  assert.deepEqual(readdirSync(folder), [])
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.deepEqual(readdirSync(folder), [])
  const whole = spawn('sh', shell, { stdio: ['pipe', 'ignore', 'inherit'] })
  whole.stdin.end(value)
  assert.deepEqual(await once(whole, 'exit'), [0, null])
  assert.equal(readFileSync(join(folder, 'credstore/key'), 'utf8'), value)
  assert.deepEqual(readdirSync(folder), ['credstore'])
})
