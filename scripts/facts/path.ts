/** What stands at paths of the host: kind, mode, owner; digest, link target and content of files. */
import type { Fact, Joint, Output } from '../core/host.ts'

/** `absent` is also the answer where a parent is missing. `mode` is four octal digits. Links are not followed. */
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

/** Answers of the form `subject NUL rest`, one after the other, with a fixed number of NUL-closed fields each. */
function splitFields(answer: Output, width: number): ReadonlyMap<string, Output> {
  const fields = answer.stdout.split('\0')
  const pieces = new Map<string, Output>()
  for (let at = 0; at + width < fields.length; at += width) {
    const stdout = fields.slice(at + 1, at + width).join('\0')
    pieces.set(fields[at] ?? '', { code: 0, stdout, stderr: '' })
  }
  return pieces
}

const stat: Joint = {
  ask: (paths) => ({
    argv: ['stat', '--printf=%n\\0%f\\0%U\\0%G\\0%u\\0%g\\0%s\\0', '--', ...paths],
    effect: 'read',
  }),
  split: (answer) => splitFields(answer, 7),
}

/** One process over those that are regular files: a named pipe would make `sha256sum` wait for ever. */
const digest: Joint = {
  ask: (paths) => ({
    argv: [
      'sh',
      '-c',
      'for p do shift; if [ -f "$p" ] && [ ! -h "$p" ]; then set -- "$@" "$p"; fi; done; [ $# = 0 ] || sha256sum -z -- "$@"',
      'sh',
      ...paths,
    ],
    effect: 'read',
  }),
  split: (answer) =>
    new Map(
      answer.stdout
        .split('\0')
        .filter((row) => row !== '')
        .map((row) => [row.slice(66), { code: 0, stdout: row.slice(0, 64), stderr: '' }] as const),
    ),
}

const target: Joint = {
  ask: (paths) => ({
    argv: [
      'sh',
      '-c',
      'for p do if [ -h "$p" ]; then printf "%s\\0" "$p"; readlink -z -- "$p"; fi; done',
      'sh',
      ...paths,
    ],
    effect: 'read',
  }),
  split: (answer) => splitFields(answer, 2),
}

function joint<T>(kind: Joint, subject: string, parse: (answer: Output) => T): Fact<T> {
  return {
    ask: kind.ask([subject]),
    parse,
    joint: kind,
    subject,
  }
}

/** What stands at the path. */
export function pathFact(path: string): Fact<PathState> {
  return joint(stat, path, ({ code, stdout }) => {
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
}

/** The SHA-256 of a regular file in lower-case hex; undefined where there is none. */
export function digestFact(path: string): Fact<string | undefined> {
  return joint(digest, path, ({ stdout }) => (/^[0-9a-f]{64}$/.test(stdout) ? stdout : undefined))
}

/** Where a symbolic link points; undefined where there is no link. */
export function targetFact(path: string): Fact<string | undefined> {
  return joint(target, path, ({ code, stdout }) => (code === 0 ? stdout : undefined))
}

/** The text of a regular file; undefined where there is none or it is not UTF-8. Ask for small files only. */
export function contentFact(path: string): Fact<string | undefined> {
  return {
    ask: { argv: ['base64', '-w0', '--', path], effect: 'read' },
    parse: ({ code, stdout }) => {
      if (code !== 0) return undefined
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(stdout, 'base64'))
      } catch {
        return undefined
      }
    },
  }
}
