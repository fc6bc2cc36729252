/** The SSH runner against a real sshd: what commands say, whose keys are believed, and that nothing hangs. Needs: sshd. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import type { SshAccess } from '../../../scripts/connection/ssh-access.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import type { Command, Connection, Stdin } from '../../../scripts/core/host.ts'
import { createFactReader } from '../../../scripts/facts/fact-reader.ts'
import { pathFact } from '../../../scripts/facts/path.ts'
import { connectSsh } from '../../../scripts/runners/ssh.ts'
import { nonce } from '../known-host.ts'
import { recording } from '../recording.ts'
import { type SshServer, startSshServer } from './ssh-server.ts'

let server: SshServer
let connection: Connection
before(async () => {
  server = await startSshServer()
  connection = await connectSsh(server.address, server.access)
})
after(async () => {
  await connection.close()
  server.stop()
})

const read = (...argv: [string, ...string[]]): Command => ({ argv, effect: 'read' })
const sh = (script: string): Command => read('sh', '-c', script)
const run = (command: Command, onLine?: (line: string) => void) => connection.runAsUser(command, onLine)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

const rows: readonly Readonly<{ name: string; command: Command; expected: readonly [number, string, string] }>[] = [
  { name: 'an answer on both streams', command: sh('echo out; echo err >&2'), expected: [0, 'out\n', 'err\n'] },
  { name: 'a code', command: sh('exit 42'), expected: [42, '', ''] },
  { name: 'a signal', command: sh('kill -TERM $$'), expected: [143, '', ''] },
  { name: 'nothing on standard input', command: read('cat'), expected: [0, '', ''] },
  {
    name: 'hostile words',
    command: read('printf', '%s|', "it's", '$(id)', 'a\nb', '-x', '', '世界', '*'),
    expected: [0, "it's|$(id)|a\nb|-x||世界|*|", ''],
  },
  { name: 'a path and a language of its own', command: sh('echo $LC_ALL'), expected: [0, 'C\n', ''] },
]

for (const { name, command, expected } of rows) {
  test(`ssh: ${name}`, async () => {
    const { code, stdout, stderr } = await run(command)
    // A login shell that is not replaced by what it runs says how that ended.
    assert.deepEqual([code, stdout, stderr.replace(/^Terminated\n$/, '')], expected)
  })
}

test('ssh: a program that is missing is a code, not an exception', async () => {
  assert.equal((await run(read('no-such-program-here'))).code, 127)
})

test('ssh: from the host to another one, and back, byte for byte', async () => {
  const sent = randomBytes(300_000)
  // The other end says when it is over, as a database does.
  const echo = createServer((socket) => {
    let bytes = 0
    socket.on('data', (piece) => {
      bytes += piece.length
      socket.write(piece)
      if (bytes === sent.length) socket.end()
    })
  }).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const { port } = echo.address() as { port: number }
  const stream = await connection.dial('127.0.0.1', port)
  stream.write(sent)
  const received: Buffer[] = []
  for await (const piece of stream) received.push(piece as Buffer)
  assert.equal(sha256(Buffer.concat(received)), sha256(sent))
  echo.close()
  await once(echo, 'close')
  await assert.rejects(connection.dial('127.0.0.1', port), /Connection refused/)
  await assert.rejects(
    connection.dial('no-such-host.invalid', port),
    /not known|failure in name resolution|invalid host/i,
  )
})

const bytes = randomBytes(3_000_000)
const sources: readonly (readonly [string, Stdin])[] = [
  ['bytes', bytes],
  [
    'a source',
    {
      open: async function* () {
        for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000)
      },
    },
  ],
]

for (const [name, stdin] of sources) {
  test(`ssh: standard input from ${name} arrives whole`, async () => {
    const { stdout } = await run({ ...read('sha256sum'), stdin })
    assert.equal(stdout.slice(0, 64), sha256(bytes))
  })
}

test('ssh: a command that ends before it has read its input tells its code', async () => {
  assert.equal((await run({ ...sh('exec 0<&-; exit 9'), stdin: sources[1]?.[1] ?? '' })).code, 9)
})

test('ssh: a source that fails is told as it failed', async () => {
  const open = async function* () {
    yield Buffer.from('x')
    throw new Failure({ what: 'the file changed' })
  }
  await assert.rejects(run({ ...read('cat'), stdin: { open } }), { message: 'the file changed' })
})

test('ssh: much output arrives whole, bytes that are no text too', async () => {
  const output = await run(
    sh('head -c 3000000 /dev/urandom | tee /dev/stderr | sha256sum >/dev/null; seq 1 100000; printf "\\377"'),
  )
  assert.equal(output.stdout.split('\n').length, 100_001)
  assert.equal(output.stdoutBytes?.at(-1), 0xff)
})

test('ssh: lines are heard as they come', async () => {
  const heard: string[] = []
  await run(sh('echo a; echo b >&2; printf "50%%\\r100%%\\nend"'), (line) => heard.push(line))
  assert.deepEqual(heard.toSorted(), ['100%', '50%', 'a', 'b', 'end'])
})

test('ssh: many commands side by side over the one connection', async () => {
  const codes = await Promise.all(Array.from({ length: 8 }, (_, index) => run(sh(`sleep 0.1; exit ${index}`))))
  assert.deepEqual(
    codes.map(({ code }) => code),
    [0, 1, 2, 3, 4, 5, 6, 7],
  )
})

test('ssh: a hundred facts are one round trip', async () => {
  const recorded = recording(connection.runAsUser)
  const getFact = createFactReader(recorded.run, nonce)
  await Promise.all(Array.from({ length: 100 }, (_, index) => getFact(pathFact(`/etc/${index}`))))
  assert.equal(recorded.commands.length, 1)
})

const connects = async (access: Partial<SshAccess>): Promise<string> => {
  try {
    const opened = await connectSsh(server.address, { ...server.access, ...access })
    await opened.close()
    return 'connected'
  } catch (error) {
    assert.ok(error instanceof Failure, String(error))
    assert.ok(error.text.next, 'says what to do')
    return `${error.code}: ${error.text.why}`
  }
}

/** known_hosts files: what stands in them, and what becomes of a connection. */
const lineFor = (key: string, marker = '') => `${marker}[127.0.0.1]:${server.address.port} ${key}\n`
const otherKey = () => {
  execFileSync('sh', [
    '-c',
    `test -f ${server.file('other')} || ssh-keygen -q -t ed25519 -N '' -f ${server.file('other')}`,
  ])
  return readFileSync(server.file('other.pub'), 'utf8').trim()
}

const files: readonly Readonly<{ name: string; text: () => string; result: RegExp }>[] = [
  {
    name: 'one of its keys is known: that one is asked for',
    text: () => lineFor(server.hostKeys.ecdsa),
    result: /^connected$/,
  },
  { name: 'none is known', text: () => '', result: /^6: unknown host key \(not in \S+\): \S+ SHA256:/ },
  {
    name: 'another key of that type is known',
    text: () => lineFor(otherKey()),
    result: /^6: .*has another key \(possible man-in-the-middle attack\)/,
  },
  {
    name: 'it is revoked',
    text: () => lineFor(server.hostKeys.ed25519) + lineFor(server.hostKeys.ed25519, '@revoked '),
    result: /^6: .*:2 marks the offered key \S+ \S+ as revoked/,
  },
  {
    name: 'an authority only',
    text: () => lineFor(otherKey(), '@cert-authority '),
    result: /^6: .*names a certificate authority, and the server shows no certificate/,
  },
]

for (const { name, text, result } of files) {
  test(`ssh: host key: ${name}`, async () => {
    assert.match(await connects({ knownHosts: [server.file('known', text())] }), result)
  })
}

test('ssh: host key: hashed by ssh-keygen itself', async () => {
  const path = server.file('hashed', lineFor(server.hostKeys.ed25519))
  execFileSync('ssh-keygen', ['-H', '-f', path], { stdio: 'ignore' })
  assert.ok(!readFileSync(path, 'utf8').includes('127.0.0.1'))
  assert.equal(await connects({ knownHosts: [path] }), 'connected')
})

test('ssh: host key: a new one is added once, where that was asked for; a changed one never', async () => {
  const path = server.file('fresh', '')
  assert.equal(await connects({ knownHosts: [path], shouldAcceptNewKey: true }), 'connected')
  assert.equal(await connects({ knownHosts: [path], shouldAcceptNewKey: false }), 'connected')
  assert.equal(readFileSync(path, 'utf8').trim().split('\n').length, 1)
  const changed = lineFor(otherKey())
  writeFileSync(path, changed)
  assert.match(await connects({ knownHosts: [path], shouldAcceptNewKey: true }), /has another key/)
  assert.equal(readFileSync(path, 'utf8'), changed)
})

test('ssh: host key: what one file revokes, another can not allow', async () => {
  const revoking = server.file('revoking', lineFor(server.hostKeys.ed25519, '@revoked '))
  const known = server.file('known', lineFor(server.hostKeys.ed25519))
  assert.match(await connects({ knownHosts: [known, revoking] }), /as revoked/)
})

test('ssh: a key of ours that is not accepted', async () => {
  otherKey()
  assert.match(await connects({ identities: [server.file('other')] }), /^6: permission denied \(publickey\): offered /)
})

test('ssh: the second key is tried too', async () => {
  otherKey()
  assert.equal(await connects({ identities: [server.file('other'), server.file('identity')] }), 'connected')
})

test('ssh: no key, an unreadable one, one with a passphrase', async () => {
  assert.match(await connects({ identities: [] }), /^6: permission denied \(publickey\): no SSH key to offer/)
  assert.match(await connects({ identities: [server.file('none')] }), /^64: .*ENOENT/)
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'passphrase', '-f', server.file('locked')])
  assert.match(await connects({ identities: [server.file('locked')] }), /^64: .*passphrase/)
})

test('ssh: of the usual keys one with a passphrase is passed over, and named when no other was accepted', async () => {
  const locked = server.file('id_rsa')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'passphrase', '-f', locked])
  const usual = { isUsual: true }
  assert.equal(await connects({ ...usual, identities: [locked, server.file('identity')] }), 'connected')
  assert.match(
    await connects({ ...usual, identities: [locked] }),
    /^6: .*no SSH key to offer; cannot use the SSH key .*id_rsa/,
  )
  const agent = execFileSync('ssh-agent', ['-s'], { encoding: 'utf8' })
  const [, socket = ''] = /SSH_AUTH_SOCK=([^;]+);/.exec(agent) ?? []
  const [, pid = ''] = /SSH_AGENT_PID=(\d+);/.exec(agent) ?? []
  try {
    execFileSync('ssh-add', ['-q', server.file('identity')], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
    assert.equal(await connects({ ...usual, identities: [locked], agent: socket }), 'connected')
  } finally {
    process.kill(Number(pid))
  }
})

test('ssh: host key: a file whose last line is not ended keeps that line', async () => {
  const path = server.file('unended', lineFor(server.hostKeys.ed25519).trim().replace(/^\S+/, 'other.example.com'))
  assert.equal(await connects({ knownHosts: [path], shouldAcceptNewKey: true }), 'connected')
  assert.equal(await connects({ knownHosts: [path], shouldAcceptNewKey: false }), 'connected')
  assert.match(readFileSync(path, 'utf8'), /^other\.example\.com [^\n]+\n\S+ \S+ \S+\n$/)
})

const impatient = { readyTimeoutMs: 300, keepaliveIntervalMs: 100, keepaliveCountMax: 2 }

test('ssh: nobody listens', async () => {
  const address = { ...server.address, port: 1 }
  await assert.rejects(connectSsh(address, server.access), { name: 'Failure', code: 6, message: /cannot connect to/ })
})

test('ssh: somebody listens and says nothing', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as { port: number }
  await assert.rejects(connectSsh({ ...server.address, port }, server.access, undefined, impatient), { code: 6 })
  silent.close()
})

/** Some login shells stand between sshd and what they run, others are replaced by it. */
const climb =
  'pid=$PPID; until grep -q ^sshd /proc/$pid/comm; do pid=$(cut -d " " -f 4 /proc/$pid/stat); done; echo "$pid"'

/** The process of sshd that serves a connection: the nearest one above what runs over it. */
const serving = async (opened: Connection): Promise<number> => Number((await opened.runAsUser(sh(climb))).stdout)

test('ssh: a connection that is cut fails the command that runs, and every later one', async () => {
  const opened = await connectSsh(server.address, server.access)
  const pid = await serving(opened)
  const running = opened.runAsUser(read('sleep', '60'))
  const failed = assert.rejects(running, { name: 'Failure', code: 6, message: /cannot connect to/ })
  process.kill(pid, 'SIGKILL')
  await failed
  await assert.rejects(opened.runAsUser(read('true')), { code: 6 })
})

test('ssh: a peer that falls silent is given up, not waited for', async () => {
  const open = () => connectSsh(server.address, server.access, undefined, { ...impatient, readyTimeoutMs: 20_000 })
  const openServed = async (): Promise<readonly [Connection, number]> => {
    const opened = await open()
    return [opened, await serving(opened)]
  }
  // A machine that is slow for a moment falls silent, too: then once more.
  const openPatiently = (): ReturnType<typeof openServed> => openServed().catch(openPatiently)
  const [opened, pid] = await openPatiently()
  process.kill(pid, 'SIGSTOP')
  await assert.rejects(opened.runAsUser(read('true')), { name: 'Failure', code: 6 })
  process.kill(pid, 'SIGKILL')
})
