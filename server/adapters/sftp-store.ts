/**
 * Copies of backups in a folder of an SSH server, over SFTP. A file is made new or not at all; an account that may only add (OpenSSH's
 * `internal-sftp -p …`) is enough. The server's key is pinned, and the connection is made when it is first needed.
 */
import { createRequire } from 'node:module'
import type { ServerHostKeyAlgorithm, SFTPWrapper, Client as SshClient } from 'ssh2'
import { type SshStore, type StoreSecrets, storeLabel } from '../../contract/backup-store.ts'
import { type BackupStore, type StoredObject, StoreFailure } from '../copies/store.ts'

/** The client alone: the library's own entry loads a server and agents for HTTP as well. */
const Client: typeof SshClient = createRequire(import.meta.url)('ssh2/lib/client.js')

/** Of the login, and of each request after it. */
const ANSWER_MS = 60_000
/** What every server takes in one request, and how many are on their way at once: a distant one is not waited for each time. */
const PIECE_BYTES = 32 * 1024
const PIECES_AT_ONCE = 16

const NO_SUCH_FILE = 2
const PERMISSION_DENIED = 3

type Callback<T> = (error: Error | null | undefined, value: T) => void

function keyAlgorithms(hostKey: string): ServerHostKeyAlgorithm[] {
  const [type = ''] = hostKey.split(' ')
  return (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]) as ServerHostKeyAlgorithm[]
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code
}

type Connection = Readonly<{ client: SshClient; sftp: SFTPWrapper; lost: Promise<never> }>

function loginFailure(label: string, error: Error & { level?: string; code?: string }): StoreFailure {
  const isRefused = error.level === 'client-authentication'
  return isRefused
    ? new StoreFailure('refused', `the store ${label} refuses the credentials`, error)
    : new StoreFailure('away', `the store ${label} is not reached (${error.code ?? error.message})`, error)
}

function connect(settings: SshStore, secrets: StoreSecrets, answerMs: number): Promise<Connection> {
  const label = storeLabel(settings)
  const client = new Client()
  const pinned = Buffer.from(settings.hostKey.split(' ')[1] ?? '', 'base64')
  let isOther = false
  return new Promise<Connection>((resolve, reject) => {
    const lost = new Promise<never>((_, lose) => {
      const fail = (failure: StoreFailure) => {
        reject(failure)
        lose(failure)
      }
      client.on('error', (error) => {
        const other = `the host key of ${label} is not the pinned one: somebody else answers, or the server has a new key`
        fail(isOther ? new StoreFailure('refused', other, error) : loginFailure(label, error))
      })
      client.on('close', () => fail(new StoreFailure('away', `the store ${label} closed the connection`)))
    })
    lost.catch(() => undefined)
    client.on('ready', () => {
      client.sftp((error, sftp) => {
        if (error === undefined) resolve({ client, sftp, lost })
        else reject(new StoreFailure('refused', `the store ${label} has no SFTP (${error.message})`, error))
      })
    })
    try {
      client.connect({
        ...{ host: settings.host, port: settings.port, username: settings.user },
        privateKey: secrets['backup-store-ssh-key'] ?? '',
        algorithms: { serverHostKey: keyAlgorithms(settings.hostKey) },
        hostVerifier: (key: Buffer) => {
          isOther = !key.equals(pinned)
          return !isOther
        },
        ...{ readyTimeout: answerMs, keepaliveInterval: Math.max(1, answerMs / 4), keepaliveCountMax: 3 },
      })
    } catch (error) {
      reject(new StoreFailure('refused', `the key for ${label} can’t be used: ${(error as Error).message}`, error))
    }
  }).catch((error) => {
    client.end()
    throw error
  })
}

/** Works on pieces of a buffer, several at once; the first failure ends it. */
async function inPieces(bytes: number, work: (offset: number, length: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < bytes) {
      const offset = next
      next += PIECE_BYTES
      await work(offset, Math.min(PIECE_BYTES, bytes - offset))
    }
  }
  await Promise.all(Array.from({ length: PIECES_AT_ONCE }, worker))
}

type Entry = Readonly<{ filename: string; attrs: Readonly<{ size: number; mtime: number }> }>

/** What every request needs. `ask` gets an answer in time, or gives the connection up. */
type Folder = Readonly<{
  label: string
  path: string
  ask: <T>(start: (sftp: SFTPWrapper, done: Callback<T>) => unknown) => Promise<T>
}>

function pathOf({ path }: Folder, name: string): string {
  return `${path.replace(/\/$/, '')}/${name}`
}

function failureOf({ label }: Folder, error: unknown, doing: string): StoreFailure {
  if (error instanceof StoreFailure) return error
  const { message } = error as Error
  if (codeOf(error) === PERMISSION_DENIED)
    return new StoreFailure('refused', `the store ${label} does not let this account ${doing} (${message})`, error)
  // OpenSSH has one code for all the rest, a full disk among it.
  const hint = doing === 'write' ? ': its disk may be full' : ''
  return new StoreFailure('failed', `the store ${label} could not ${doing}${hint} (${message})`, error)
}

async function exists(folder: Folder, name: string): Promise<boolean> {
  return await folder
    .ask((sftp, done: Callback<unknown>) => sftp.lstat(pathOf(folder, name), done))
    .then(
      () => true,
      (error) => {
        if (codeOf(error) === NO_SUCH_FILE) return false
        throw failureOf(folder, error, 'look at its files')
      },
    )
}

async function write({ ask }: Folder, handle: Buffer, bytes: Uint8Array): Promise<void> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  await inPieces(bytes.length, (offset, length) =>
    ask((sftp, done: Callback<void>) => sftp.write(handle, buffer, offset, length, offset, (error) => done(error))),
  )
  // Where the server has it and lets this account use it.
  await ask((sftp, done: Callback<void>) => sftp.ext_openssh_fsync(handle, (error) => done(error))).catch((error) => {
    if (error instanceof StoreFailure) throw error
  })
  await ask((sftp, done: Callback<void>) => sftp.close(handle, (error) => done(error)))
}

async function add(folder: Folder, name: string, bytes: Uint8Array): Promise<'added' | 'taken'> {
  let handle: Buffer
  try {
    handle = await folder.ask((sftp, done: Callback<Buffer>) => sftp.open(pathOf(folder, name), 'wx', done))
  } catch (error) {
    if (error instanceof StoreFailure) throw error
    if (await exists(folder, name)) return 'taken'
    throw failureOf(folder, error, 'add a file')
  }
  try {
    await write(folder, handle, bytes)
  } catch (error) {
    throw failureOf(folder, error, 'write')
  }
  return 'added'
}

async function readAll({ label, ask }: Folder, handle: Buffer): Promise<Buffer> {
  const { size } = await ask((sftp, done: Callback<{ size: number }>) => sftp.fstat(handle, done))
  const buffer = Buffer.alloc(size)
  await inPieces(size, async (offset, length) => {
    for (let got = 0; got < length; ) {
      const [at, rest] = [offset + got, length - got]
      const count = await ask((sftp, done: Callback<number>) => sftp.read(handle, buffer, at, rest, at, done))
      if (count === 0)
        throw new StoreFailure('changed', `a file in the store ${label} became shorter while it was read`)
      got += count
    }
  })
  return buffer
}

async function read(folder: Folder, name: string): Promise<Uint8Array | undefined> {
  const { ask } = folder
  try {
    const handle = await ask((sftp, done: Callback<Buffer>) => sftp.open(pathOf(folder, name), 'r', done))
    const buffer = await readAll(folder, handle)
    await ask((sftp, done: Callback<void>) => sftp.close(handle, (error) => done(error)))
    return buffer
  } catch (error) {
    if (codeOf(error) === NO_SUCH_FILE) return undefined
    throw failureOf(folder, error, 'read')
  }
}

async function list(folder: Folder, beginning: string): Promise<readonly StoredObject[]> {
  try {
    const entries = await folder.ask((sftp, done: Callback<readonly Entry[]>) => sftp.readdir(folder.path, done))
    return entries
      .filter(({ filename }) => filename.startsWith(beginning))
      .map(({ filename: name, attrs }) => ({ name, bytes: attrs.size, modifiedMs: attrs.mtime * 1000 }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    if (codeOf(error) === NO_SUCH_FILE)
      throw new StoreFailure('failed', `the store ${folder.label} has no such folder`, error)
    throw failureOf(folder, error, 'list its folder')
  }
}

/** A folder keeps nothing of what was overwritten. */
async function* readEarlier(): AsyncGenerator<Uint8Array> {}

/** Opens a folder; nothing is asked of the server yet. */
export function openSftpStore(settings: SshStore, secrets: StoreSecrets, answerMs = ANSWER_MS): BackupStore {
  const label = storeLabel(settings)
  let opened: Promise<Connection> | undefined

  const ask: Folder['ask'] = async <T>(start: (sftp: SFTPWrapper, done: Callback<T>) => unknown): Promise<T> => {
    opened ??= connect(settings, secrets, answerMs)
    const { client, sftp, lost } = await opened
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const failure = new StoreFailure('away', `the store ${label} gave no answer within ${answerMs / 1000} s`)
      timer = setTimeout(() => {
        client.destroy()
        reject(failure)
      }, answerMs)
    })
    const answer = new Promise<T>((resolve, reject) => {
      start(sftp, (error, value) => (error == null ? resolve(value) : reject(error)))
    })
    return await Promise.race([answer, lost, late]).finally(() => clearTimeout(timer))
  }

  const folder: Folder = { label, path: settings.folder, ask }
  return {
    add: (name, bytes) => add(folder, name, bytes),
    read: (name) => read(folder, name),
    readEarlier,
    list: (beginning) => list(folder, beginning),
    close: async () => {
      const connection = await opened?.catch(() => undefined)
      connection?.client.end()
    },
  }
}
