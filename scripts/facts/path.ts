/** Facts about paths of the host: kind, mode, owner; digest, content and link target of files. */
import { HOST_PATH } from '../../contract/path.ts'
import type { BatchQuery, Fact, Output } from '../core/host.ts'
import { sha256Of } from '../core/sha256.ts'

/** A missing parent folder also means `absent`. `mode` is four octal digits. Links are not followed. */
export type PathState =
  | Readonly<{ kind: 'absent' }>
  | Readonly<{
      kind: 'file' | 'directory' | 'link' | 'other'
      mode: string
      owner: string
      group: string
      uid: number
      gid: number
      bytes: number
    }>

/** By the top four bits of a mode (S_IFMT of stat(2), shifted): 8 is S_IFREG, 4 S_IFDIR, 10 S_IFLNK. */
const KINDS: Readonly<Record<number, 'file' | 'directory' | 'link'>> = { 8: 'file', 4: 'directory', 10: 'link' }

/** Splits records of a fixed number of NUL-terminated fields, the first of which is the subject. */
function splitFields(output: Output, width: number): ReadonlyMap<string, Output> {
  const fields = output.stdout.split('\0')
  const outputs = new Map<string, Output>()
  for (let start = 0; start + width < fields.length; start += width) {
    const stdout = fields.slice(start + 1, start + width).join('\0')
    outputs.set(fields[start] ?? '', { code: 0, stdout, stderr: '' })
  }
  return outputs
}

const statQuery: BatchQuery = {
  query: (paths) => ({
    argv: ['stat', '--printf=%n\\0%f\\0%U\\0%G\\0%u\\0%g\\0%s\\0', '--', ...paths],
    effect: 'read',
  }),
  split: (output) => splitFields(output, 7),
}

/** Hashes regular files only: `sha256sum` would block on a named pipe. */
const digestQuery: BatchQuery = {
  query: (paths) => ({
    argv: [
      'sh',
      '-c',
      'for p do shift; if [ -f "$p" ] && [ ! -h "$p" ]; then set -- "$@" "$p"; fi; done; [ $# = 0 ] || sha256sum -z -- "$@"',
      'sh',
      ...paths,
    ],
    effect: 'read',
  }),
  split: (output) =>
    new Map(
      output.stdout
        .split('\0')
        .filter((row) => row !== '')
        .map((row) => [row.slice(66), { code: 0, stdout: row.slice(0, 64), stderr: '' }] as const),
    ),
}

const targetQuery: BatchQuery = {
  query: (paths) => ({
    argv: ['find', ...paths, '-maxdepth', '0', '-type', 'l', '-printf', '%p\\0%l\\0'],
    effect: 'read',
  }),
  split: (output) => splitFields(output, 2),
}

function batchFact<T>(batchQuery: BatchQuery, subject: string, parse: (output: Output) => T): Fact<T> {
  return { query: batchQuery.query([subject]), parse, batchQuery, subject }
}

/** The state of a path. */
export function pathFact(path: string): Fact<PathState> {
  const fact = batchFact<PathState>(statQuery, path, ({ code, stdout }) => {
    const [bits = '', owner = '', group = '', uid, gid, bytes] = stdout.split('\0')
    if (code !== 0 || bits === '') return { kind: 'absent' }
    const mode = Number.parseInt(bits, 16)
    return {
      kind: KINDS[mode >> 12] ?? 'other',
      mode: (mode & 0o7777).toString(8).padStart(4, '0'),
      owner,
      group,
      uid: Number(uid),
      gid: Number(gid),
      bytes: Number(bytes),
    }
  })
  return { ...fact, planned: plannedState }
}

/** A folder grows with what is in it. */
function plannedState(state: PathState): unknown {
  if (state.kind === 'absent' || state.kind === 'file') return state
  const { bytes: _, ...rest } = state
  return rest
}

/** The SHA-256 of a regular file in lower-case hex; undefined: no regular file. */
export function digestFact(path: string): Fact<string | undefined> {
  const fact = batchFact<string | undefined>(digestQuery, path, ({ stdout }) =>
    /^[0-9a-f]{64}$/.test(stdout) ? stdout : undefined,
  )
  // There it would be the digest of a secret itself.
  return path.startsWith(`${HOST_PATH.credentialsFolder}/`) ? { ...fact, planned: () => undefined } : fact
}

/** The target of a symbolic link; undefined: no link. */
export function targetFact(path: string): Fact<string | undefined> {
  return batchFact(targetQuery, path, ({ code, stdout }) => (code === 0 ? stdout : undefined))
}

/** The text of a regular file; undefined: no such file, or not UTF-8. For small files only. */
export function contentFact(path: string): Fact<string | undefined> {
  return {
    query: { argv: ['base64', '-w0', '--', path], effect: 'read' },
    parse: ({ code, stdout }) => {
      if (code !== 0) return undefined
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(stdout, 'base64'))
      } catch {
        return undefined
      }
    },
    planned: (text) => (text === undefined ? undefined : sha256Of(text)),
  }
}
