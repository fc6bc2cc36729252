/** What every store of backups promises, over a real S3 store with object lock and a real sshd with an account that may only add. Needs: root, sshd, s3-store. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { createServer, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import type { SFTPWrapper, Client as SshClient } from 'ssh2'
import { storeLabel } from '../../../contract/backup-store.ts'
import { openS3Store } from '../../../server/adapters/s3-store.ts'
import { openSftpStore } from '../../../server/adapters/sftp-store.ts'
import { type BackupStore, StoreFailure } from '../../../server/copies/store.ts'
import { type S3Server, startS3Store } from '../../lab/s3-store.ts'
import { type SftpServer, startSftpStore } from '../../lab/sftp-store.ts'

const Client: typeof SshClient = createRequire(import.meta.url)('ssh2/lib/client.js')

let s3: S3Server
let sftp: SftpServer
before(async () => {
  s3 = await startS3Store()
  sftp = await startSftpStore()
})
after(async () => {
  await s3?.close()
  await sftp?.close()
})

/** Longer than any of them takes, whatever else the machine does. */
const ANSWER_MS = 60_000

const KINDS = ['s3', 'ssh'] as const
type Kind = (typeof KINDS)[number]

const openStore = (
  kind: Kind,
  secrets = kind === 's3' ? s3.secrets : sftp.secrets,
  answerMs = ANSWER_MS,
): BackupStore =>
  kind === 's3' ? openS3Store(s3.store, secrets, answerMs) : openSftpStore(sftp.store, secrets, answerMs)

const failureOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'nothing'
  } catch (error) {
    assert.ok(error instanceof StoreFailure, String(error))
    return error.kind
  }
}

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text))
/** More than one piece of SFTP, and no round number of them. */
const LARGE = new Uint8Array(300_001).map((_, index) => (index * 7919) % 251)

for (const kind of KINDS) {
  test(`${kind}: what was added is read back, listed, and stays as it is`, async () => {
    const store = openStore(kind)
    assert.equal(await store.read(`${kind}-a`), undefined)
    assert.deepEqual(await store.list(`${kind}-`), [])
    assert.equal(await store.add(`${kind}-a`, LARGE), 'added')
    assert.equal(await store.add(`${kind}-b`, new Uint8Array()), 'added')
    assert.equal(await store.add(`${kind}-a`, bytesOf('other')), 'taken')
    assert.deepEqual(new Uint8Array((await store.read(`${kind}-a`)) ?? []), LARGE)
    assert.deepEqual((await store.read(`${kind}-b`))?.length, 0)
    const listed = await store.list(`${kind}-`)
    assert.deepEqual(
      listed.map(({ name, bytes }) => [name, bytes]),
      [
        [`${kind}-a`, LARGE.length],
        [`${kind}-b`, 0],
      ],
    )
    assert.ok(listed.every(({ modifiedMs }) => modifiedMs > 0))
    await store.close()
  })

  test(`${kind}: other credentials are refused, and the message does not hold them`, async () => {
    const other = {
      s3: { ...s3.secrets, 'backup-store-secret': 'not-the-secret' },
      ssh: { 'backup-store-ssh-key': sftp.strangerKey },
    }
    const store = openStore(kind, other[kind])
    await assert.rejects(store.list(''), (error: StoreFailure) => {
      assert.equal(error.kind, 'refused')
      assert.match(error.message, /refuses the credentials/)
      assert.doesNotMatch(error.message, /not-the-secret/)
      return true
    })
    await store.close()
  })

  test(`${kind}: a store that is away, or does not answer, is told of`, async () => {
    const server = kind === 's3' ? s3 : sftp
    await server.stop()
    const store = openStore(kind)
    assert.equal(await failureOf(store.list('')), 'away')
    await store.close()
    // Something listens there that says nothing.
    const callers: Socket[] = []
    const mute = createServer((socket) => callers.push(socket)).listen(server.port, '127.0.0.1')
    const waiting = openStore(kind, undefined, 200)
    assert.equal(await failureOf(waiting.list('')), 'away')
    await waiting.close()
    for (const socket of callers) socket.destroy()
    await new Promise((resolve) => mute.close(resolve))
    await server.start()
  })
}

test('s3: the credentials of a host can neither delete nor unlock, and what they overwrite is still there', async () => {
  const store = openStore('s3')
  await store.add('kept', bytesOf('first'))
  const attempts = [
    ['DELETE', '/host-1/kept'],
    ['PUT', '?object-lock', '<ObjectLockConfiguration/>'],
    ['PUT', '?versioning', '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>'],
    ['DELETE', ''],
  ] as const
  const answers = await Promise.all(attempts.map(([method, path, body]) => s3.ask('host', method, path, body)))
  assert.deepEqual(
    answers.map(({ status }) => status),
    attempts.map(() => 403),
  )
  const versions = await (await s3.ask('owner', 'GET', '?versions&prefix=host-1/kept')).text()
  const [, version = ''] = /<VersionId>([^<]+)/.exec(versions) ?? []
  // Not even the owner can, before the day is over.
  assert.equal((await s3.ask('owner', 'DELETE', `/host-1/kept?versionId=${version}`)).status, 403)
  assert.ok((await s3.ask('host', 'PUT', '/host-1/kept', 'second')).ok)
  const earlier: string[] = []
  for await (const bytes of store.readEarlier('kept')) earlier.push(Buffer.from(bytes).toString())
  assert.deepEqual(earlier, ['second', 'first'])
})

/** What a thief of the host's key would try. */
const THEFTS: readonly (readonly [
  what: string,
  run: (sftp: SFTPWrapper, path: string, done: (error?: unknown) => void) => void,
])[] = [
  ['delete', (session, path, done) => session.unlink(path, done)],
  ['rename', (session, path, done) => session.rename(path, `${path}.away`, done)],
  ['overwrite', (session, path, done) => session.open(path, 'w', done)],
  ['append', (session, path, done) => session.open(path, 'a', done)],
  ['change', (session, path, done) => session.open(path, 'r+', done)],
  ['make writable', (session, path, done) => session.chmod(path, 0o600, done)],
  ['link', (session, path, done) => session.symlink('/etc/passwd', `${path}.link`, done)],
]

test('ssh: the account of a host can neither delete nor change what it added, nor run anything', async () => {
  const store = openStore('ssh')
  await store.add('kept', bytesOf('first'))
  const client = new Client()
  await new Promise((resolve, reject) => {
    client.on('ready', () => resolve(undefined)).on('error', reject)
    const { host, port, user: username } = sftp.store
    client.connect({ host, port, username, privateKey: sftp.secrets['backup-store-ssh-key'] ?? '' })
  })
  const session = await new Promise<SFTPWrapper>((resolve, reject) =>
    client.sftp((error, opened) => (error === undefined ? resolve(opened) : reject(error))),
  )
  const outcomes = await Promise.all(
    THEFTS.map(
      ([what, run]) =>
        new Promise((resolve) => run(session, `${sftp.folder}/kept`, (error) => resolve([what, error == null]))),
    ),
  )
  assert.deepEqual(
    outcomes,
    THEFTS.map(([what]) => [what, false]),
  )
  // A command is not run: the forced one speaks SFTP, and knows nothing else.
  const ran = await new Promise((resolve) =>
    client.exec(`touch ${sftp.folder}/ran`, (error, channel) =>
      error === undefined
        ? channel
            .resume()
            .on('close', () => resolve('ended'))
            .end()
        : resolve('refused'),
    ),
  )
  client.end()
  assert.ok(['ended', 'refused'].includes(String(ran)))
  assert.deepEqual(
    (await store.list('')).map(({ name }) => name).filter((name) => /kept|ran/.test(name)),
    ['kept'],
  )
  assert.equal(Buffer.from((await store.read('kept')) ?? []).toString(), 'first')
  await store.close()
})

test('ssh: a server with another host key than the pinned one is not believed', async () => {
  const store = openSftpStore({ ...sftp.store, hostKey: sftp.otherHostKey }, sftp.secrets, ANSWER_MS)
  await assert.rejects(store.add('x', bytesOf('x')), /is not the pinned one/)
  await store.close()
})

test('ssh: what a cut has left of a file is taken, and is not the file', async () => {
  // The sshd ends while pieces are on their way: a name, and a part of its bytes.
  const store = openStore('ssh')
  const sending = failureOf(store.add('cut', new Uint8Array(64 * 2 ** 20)))
  await sftp.untilFile('cut')
  await sftp.stop()
  assert.equal(await sending, 'away')
  await store.close()
  await sftp.start()
  const next = openStore('ssh')
  assert.equal(await next.add('cut', bytesOf('whole')), 'taken')
  assert.notEqual(Buffer.from((await next.read('cut')) ?? []).toString(), 'whole')
  await next.close()
})

test('s3: a bucket that is not there is told by its name', async () => {
  const store = openS3Store({ ...s3.store, bucket: 'nowhere' }, s3.secrets, ANSWER_MS)
  await assert.rejects(store.list(''), (error: StoreFailure) =>
    error.message.includes(storeLabel({ ...s3.store, bucket: 'nowhere' })),
  )
})
