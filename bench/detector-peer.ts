/**
 * Detectors of others that are measured beside ours: which version, how it is installed, how it is asked, how what it says is read. Each is a
 * file of detector-peers/. Nothing of them is part of this repository; the ordinary clients (npm, pip, go) bring them into a cache folder.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text as readAll } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { Installable } from './peer.ts'

/** What a peer is there to find. */
export type Family = 'secret' | 'injection' | 'pii'

/** What it found: its own word for the kind; place and score where it gives them. */
export type Found = Readonly<{ kind: string; span?: readonly [start: number, end: number]; score?: number }>

/** What it found in a text, and the processor time that took. */
export type PeerJudgement = Readonly<{ us: number; found: readonly Found[] }>

/** Where it runs: the folder that it is installed in, and one for what it writes. */
export type Workplace = Readonly<{ folder: string; scratch: string }>

/** A detector of others. `does`: how it is set up in this measurement. */
export type DetectorPeer = Installable &
  Readonly<{
    family: Family
    does: string
    /** What it said of one text, in our words; throws at what it does not know. */
    read: (said: unknown) => readonly Found[]
    judge: (place: Workplace, texts: readonly string[]) => Promise<readonly PeerJudgement[]>
  }>

const FOLDER = join(import.meta.dirname, 'detector-peers')

/** All of them: one a file. */
export async function loadDetectorPeers(): Promise<readonly DetectorPeer[]> {
  const names = globSync('*.ts', { cwd: FOLDER }).toSorted()
  const modules = await Promise.all(names.map((name) => import(join(FOLDER, name))))
  return modules.map(({ peer }) => peer as DetectorPeer)
}

/** A member of what a peer said; throws when it is of another type than it was. */
export function member<Type extends 'string' | 'number' | 'boolean'>(
  said: unknown,
  name: string,
  type: Type,
): { string: string; number: number; boolean: boolean }[Type] {
  const value = (said as Readonly<Record<string, unknown>> | null | undefined)?.[name]
  if (typeof value !== type) throw new Error(`no ${name} (${type}) in ${JSON.stringify(said)?.slice(0, 200)}`)
  return value as ReturnType<typeof member<Type>>
}

/** The list that a peer said; throws when it is none. */
export function list(said: unknown): readonly unknown[] {
  if (!Array.isArray(said)) throw new Error(`no list: ${JSON.stringify(said)?.slice(0, 200)}`)
  return said
}

/** Lines of what was said of so many texts, in their order. */
export function readLines(output: string, count: number, read: DetectorPeer['read']): readonly PeerJudgement[] {
  const lines = output.split('\n').filter((line) => line !== '')
  if (lines.length !== count) throw new Error(`${lines.length} answers to ${count} texts`)
  return lines.map((line) => {
    const { us, said } = JSON.parse(line) as Readonly<{ us: number; said: unknown }>
    return { us, found: read(said) }
  })
}

/** Some readers of lines end one at U+2028 and U+2029, which JSON leaves as they are. */
const jsonLine = (text: string): string =>
  JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')

/** Runs a program that answers each line of JSON, a text, with one; gives what it printed. */
export async function askInLines(
  [program = '', ...argv]: readonly string[],
  env: Readonly<Record<string, string>>,
  texts: readonly string[],
): Promise<string> {
  const child = spawn(program, argv, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  const said = readAll(child.stdout)
  const complaints = readAll(child.stderr)
  const closed = once(child, 'close')
  const lines = Readable.from(texts.map((text) => `${jsonLine(text)}\n`))
  // When it ends early, its code says so better.
  const sent = pipeline(lines, child.stdin).catch(() => {})
  const [code] = await closed
  await sent
  if (code !== 0) throw new Error(`it ended with ${code}: ${(await complaints).trim().slice(-400)}`)
  return await said
}
