/** `tappass up` against a stand-in gateway: what it hands over, what it prints, how it ends. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { HOST_PATH } from '../../../contract/path.ts'
import { identifyProcess } from '../../../scripts/core/process-identity.ts'
import { type Typing, typeCommand } from '../command-line.ts'

const roots: string[] = []
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true })
})

const makeRoot = (behaviour?: string): string => {
  const root = mkdtempSync(join(tmpdir(), 'tappass-up-'))
  roots.push(root)
  mkdirSync(join(root, 'server'))
  copyFileSync(join(import.meta.dirname, '..', 'stub-gateway.ts'), join(root, 'server', 'main.ts'))
  writeFileSync(join(root, 'package.json'), '{"type":"module"}')
  if (behaviour !== undefined) writeFileSync(join(root, behaviour), '')
  return root
}

const quiet = ['--no-input', '--json', '--port', '0'] as const
const up = (root: string, words: readonly string[], typing: Typing = {}) =>
  typeCommand(['up', ...words], { root, ...typing })

type Line = Readonly<{ url: string; adminKey: string; agent: Readonly<{ id: string; key: string }> }>

const runOnce = async (root: string, words: readonly string[], typing: Typing = {}) => {
  const typed = up(root, [...quiet, ...words], typing)
  const [text] = await typed.until('stdout', /.*\n/)
  typed.interrupt('SIGTERM')
  assert.equal(await typed.code, 0, typed.stderr())
  assert.equal(typed.stdout(), text, 'one line and nothing else')
  return JSON.parse(text ?? '') as Line
}

const seenBy = (root: string) =>
  JSON.parse(readFileSync(join(root, 'seen.json'), 'utf8')) as Readonly<{
    environment: Record<string, string>
    argv: string[]
    secrets: Record<string, string>
    modes: Record<string, number>
  }>

describe('up', () => {
  test('on a server it does not put data into the release: exit 5, and what to type', async () => {
    const typed = up(`${HOST_PATH.releasesFolder}/1.0.0-abc`, quiet)
    assert.equal(await typed.code, 5)
    assert.match(
      typed.stderr(),
      /this machine is a server\n {2}why: {3}its gateway runs as tappass@1.service; .*\n {2}next: {2}tappass status/,
    )
  })

  test('prints one JSON line, and the same one at the next start', async () => {
    const root = makeRoot()
    const first = await runOnce(root, [])
    assert.match(first.url, /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.match(first.adminKey, /^tp_/)
    assert.equal(first.agent.id, 'first-agent')
    const second = await runOnce(root, [])
    assert.deepEqual([second.adminKey, second.agent], [first.adminKey, first.agent])
    assert.equal(existsSync(join(root, '.tappass/data/lock')), false)
  })

  test('hands secrets over in files of mode 0600 only, and takes them away again', async () => {
    const root = makeRoot()
    const file = join(root, 'key')
    const providerKey = ['sk', 'made', 'up', 'for', 'this', 'test'].join('-')
    writeFileSync(file, `${providerKey}\n`)
    const line = await runOnce(root, ['--provider-key-file', 'key', '--upstream', 'http://127.0.0.1:9/v1/'])
    const { environment, argv, secrets, modes } = seenBy(root)
    assert.equal(secrets['openai-api-key'], providerKey)
    assert.equal(secrets['tappass-admin-api-key'], line.adminKey)
    for (const mode of Object.values(modes)) assert.equal(mode, 0o600)
    for (const secret of Object.values(secrets)) {
      assert.equal(JSON.stringify([environment, argv]).includes(JSON.stringify(secret).slice(1, -1)), false)
    }
    assert.equal(environment['TAPPASS_UPSTREAM_URL'], 'http://127.0.0.1:9/v1')
    assert.equal(existsSync(environment['CREDENTIALS_DIRECTORY'] ?? ''), false)
    const data = join(root, '.tappass/data')
    assert.equal(statSync(data).mode & 0o777, 0o700)
    assert.deepEqual(readdirSync(join(data, 'secrets')).sort(), [
      'tappass-admin-api-key',
      'tappass-checkpoint-key',
      'tappass-jwt-secret',
      'tappass-token-key',
      'tappass-vault-key',
    ])
    for (const id of readdirSync(join(data, 'secrets')))
      assert.equal(statSync(join(data, 'secrets', id)).mode & 0o777, 0o600)
    assert.equal(statSync(join(data, 'agent.json')).mode & 0o777, 0o600)
  })

  test('keeps nothing with memory storage', async () => {
    const root = makeRoot()
    await runOnce(root, ['--storage', 'memory'], { environment: { XDG_RUNTIME_DIR: root } })
    const { environment } = seenBy(root)
    assert.equal(environment['TAPPASS_STORAGE'], 'memory')
    assert.equal(environment['TAPPASS_DATA_DIR'], undefined)
    assert.equal(existsSync(join(root, '.tappass')), false)
    assert.deepEqual(
      readdirSync(root).filter((name) => name.startsWith('tappass-')),
      [],
    )
  })

  test('makes a new agent key when the kept one is lost', async () => {
    const root = makeRoot()
    const first = await runOnce(root, [])
    rmSync(join(root, '.tappass/data/agent.json'))
    const second = await runOnce(root, [])
    assert.equal(second.agent.id, first.agent.id)
    assert.notEqual(second.agent.key, first.agent.key)
    assert.equal((await runOnce(root, [])).agent.key, second.agent.key)
  })

  test('Ctrl-C lets the gateway drain and exits 130', async () => {
    const root = makeRoot()
    const typed = up(root, quiet)
    await typed.until('stdout', /\n/)
    typed.interrupt('SIGINT')
    assert.equal(await typed.code, 130)
    assert.equal(existsSync(join(root, 'drained')), true)
  })

  test('Ctrl-C before it serves exits 130 too', async () => {
    const root = makeRoot('mute')
    const typed = up(root, quiet)
    while (!existsSync(join(root, 'seen.json'))) await pause(5)
    typed.interrupt('SIGINT')
    assert.equal(await typed.code, 130)
    assert.equal(typed.stdout(), '')
  })

  test('a gateway that dies is an error with its last words', async () => {
    const root = makeRoot()
    const typed = up(root, [...quiet, '--verbose'])
    await typed.until('stdout', /\n/)
    const { gateway } = JSON.parse(readFileSync(join(root, '.tappass/data/lock'), 'utf8'))
    process.kill(gateway.pid, 'SIGKILL')
    assert.equal(await typed.code, 1)
    assert.match(typed.stderr(), /the gateway exited unexpectedly \(SIGKILL\)/)
  })

  test('a second up on the same folder is refused while the first lives', async () => {
    const root = makeRoot()
    const first = up(root, quiet)
    await first.until('stdout', /\n/)
    const second = up(root, quiet)
    assert.equal(await second.code, 4)
    assert.match(second.stderr(), new RegExp(`another tappass up \\(process ${process.pid}\\)`))
    first.interrupt('SIGTERM')
    assert.equal(await first.code, 0)
  })

  test('the lock of a dead owner is taken over', async () => {
    const root = makeRoot()
    const data = join(root, '.tappass/data')
    mkdirSync(data, { recursive: true })
    writeFileSync(join(data, 'lock'), JSON.stringify({ owner: { ...identifyProcess(process.pid), start: '1' } }))
    mkdirSync(join(data, 'run.4242'))
    assert.match((await runOnce(root, [])).url, /^http/)
    assert.equal(existsSync(join(data, 'run.4242')), false)
  })
})

/** One clear error each: how the root is prepared, what is typed, the exit code, and what stderr must say. */
const refusals: readonly Readonly<{
  name: string
  behaviour?: string
  prepare?: (root: string) => void
  words: readonly string[]
  environment?: Record<string, string>
  code: number
  says: RegExp
}>[] = [
  { name: 'no number', words: ['--port', 'x'], code: 64, says: /"--port" must be a number from 0 to 65535/ },
  { name: 'no storage', words: ['--storage', 'disk'], code: 64, says: /"--storage" is one of memory, local, supabase/ },
  { name: 'no address', words: ['--upstream', 'localhost:1'], code: 64, says: /"--upstream" must be an http\(s\) URL/ },
  {
    name: 'a password in an address',
    words: ['--upstream', 'http://a:b@c/v1'],
    code: 64,
    says: /must not contain a password/,
  },
  {
    name: 'Supabase without an address',
    words: ['--storage', 'supabase'],
    code: 64,
    says: /needs a connection string/,
  },
  {
    name: 'the https address of Supabase',
    words: ['--storage', 'supabase', '--supabase-url', 'https://x.supabase.co'],
    code: 5,
    says: /invalid Supabase connection string/,
  },
  {
    name: 'no such key file',
    words: ['--provider-key-file', 'nowhere'],
    code: 5,
    says: /cannot read the file of --provider-key-file[\s\S]*nowhere/,
  },
  {
    name: 'a key of two lines',
    prepare: (root) => writeFileSync(join(root, 'key'), 'sk-one\nsk-two\n'),
    words: ['--provider-key-file', 'key'],
    code: 5,
    says: /invalid provider API key/,
  },
  {
    name: 'a key with a space, in the environment',
    words: [],
    environment: { OPENAI_API_KEY: 'my key' },
    code: 5,
    says: /invalid provider API key[\s\S]*OPENAI_API_KEY in the environment/,
  },
  {
    name: 'a key that is not OpenAI’s',
    prepare: (root) => writeFileSync(join(root, 'key'), 'abcdefgh12345'),
    words: ['--provider-key-file', 'key'],
    code: 5,
    says: /invalid OpenAI API key/,
  },
  {
    name: 'a license that is none',
    prepare: (root) => writeFileSync(join(root, 'license'), 'gold'),
    words: ['--license', 'license'],
    code: 5,
    says: /invalid license/,
  },
  {
    name: 'a file for a folder',
    prepare: (root) => writeFileSync(join(root, 'data'), ''),
    words: ['--data', 'data'],
    code: 5,
    says: /cannot use the data folder/,
  },
  {
    name: 'a database without its secrets',
    prepare: (root) => mkdirSync(join(root, 'data/database'), { recursive: true }),
    words: ['--data', 'data'],
    code: 5,
    says: /has a database, but not its secrets/,
  },
  {
    name: 'a damaged secret',
    prepare: (root) => {
      mkdirSync(join(root, 'data/secrets'), { recursive: true })
      writeFileSync(join(root, 'data/secrets/tappass-vault-key'), 'short')
    },
    words: ['--data', 'data'],
    code: 5,
    says: /missing or malformed: tappass-admin-api-key, tappass-jwt-secret, tappass-vault-key, tappass-token-key/,
  },
  {
    name: 'a gateway that can not start',
    behaviour: 'fail',
    words: [],
    code: 1,
    says: /failed to start[\s\S]*another planet/,
  },
  {
    name: 'a gateway that ends',
    behaviour: 'die',
    words: [],
    code: 1,
    says: /exited during start-up \(exit code 7\)[\s\S]*out of cheese/,
  },
]

describe('up refuses, with one error', () => {
  for (const { name, behaviour, prepare, words, environment, code, says } of refusals) {
    test(name, async () => {
      const root = makeRoot(behaviour)
      prepare?.(root)
      const typed = up(root, [...quiet, ...words], { ...(environment === undefined ? {} : { environment }) })
      assert.equal(await typed.code, code)
      assert.match(typed.stderr(), says)
      assert.equal(typed.stderr().match(/^tappass: /gm)?.length, 1)
      assert.equal(typed.stdout(), '')
    })
  }

  const serve = async (status: number, work: (port: number) => Promise<void>) => {
    const server = createServer((_request, response) => response.writeHead(status).end('{}'))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    await work(typeof address === 'object' && address !== null ? address.port : 0)
    server.close()
  }

  test('a taken port', () =>
    serve(200, async (port) => {
      const typed = up(makeRoot(), ['--no-input', '--json', '--port', String(port)])
      assert.equal(await typed.code, 5)
      assert.match(typed.stderr(), new RegExp(`port ${port} is in use`))
    }))

  test('a key that the provider rejects', () =>
    serve(401, async (port) => {
      const root = makeRoot()
      writeFileSync(join(root, 'key'), 'made-up-key')
      const words = ['--provider-key-file', 'key', '--upstream', `http://127.0.0.1:${port}/v1`]
      const typed = up(root, [...quiet, ...words])
      assert.equal(await typed.code, 5)
      assert.match(typed.stderr(), /the provider rejects the API key/)
    }))
})

describe('up on a terminal', () => {
  const ask = async (root: string, answers: readonly (readonly [RegExp, string])[]) => {
    const typed = up(root, ['--port', '0'], { isTerminal: true, environment: { NO_COLOR: '1' } })
    for (const [question, answer] of answers) {
      await typed.until('stderr', question)
      typed.answer(answer)
    }
    return typed
  }

  test('asks license, storage and provider key, shows two calls, and asks no more at the next start', async () => {
    const root = makeRoot()
    const typed = await ask(root, [
      [/License file.*: /, ''],
      [/Which \(1-3, Enter for 1\): /, '7'],
      [/"7" is not a number from 1 to 3[\s\S]*Which \(1-3, Enter for 1\): /, '1'],
      [/OpenAI API key.*: /, ''],
    ])
    const [screen] = await typed.until('stdout', /[\s\S]*Press Ctrl-C to stop\.\n/)
    assert.match(screen ?? '', /curl -sS http:\/\/127[\s\S]*"content":"Hello"/)
    assert.match(screen ?? '', /refused[\s\S]*PRIVATE KEY/)
    typed.interrupt('SIGTERM')
    assert.equal(await typed.code, 0)
    const second = up(root, ['--port', '0'], { isTerminal: true })
    await second.until('stdout', /Press Ctrl-C to stop/)
    second.interrupt('SIGTERM')
    assert.equal(await second.code, 0)
    assert.doesNotMatch(second.stderr(), /Which/)
  })

  test('does not show a key that is typed', async () => {
    const root = makeRoot()
    const typed = await ask(root, [
      [/License file.*: /, ''],
      [/Which.*: /, '2'],
      [/API key.*: /, 'no-openai-key'],
      [/invalid OpenAI API key[\s\S]*API key.*: /, ''],
    ])
    await typed.until('stdout', /Ctrl-C/)
    assert.doesNotMatch(typed.stderr(), /no-openai-key/)
    assert.equal(existsSync(join(root, '.tappass')), false)
    typed.interrupt('SIGTERM')
    assert.equal(await typed.code, 0)
  })

  test('Ctrl-C at a question exits 130', async () => {
    const typed = up(makeRoot(), [], { isTerminal: true })
    await typed.until('stderr', /License/)
    typed.answer('\u0003')
    assert.equal(await typed.code, 130)
  })
})
