/** Hosts for tests of plans: one whose facts are said in rows, and this very machine. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { HOST_PATH } from '../../contract/path.ts'
import type { Fact, GetFact, Runner } from '../../scripts/core/host.ts'
import type { Change, Resource } from '../../scripts/core/resource.ts'
import { createFactReader } from '../../scripts/facts/fact-reader.ts'
import { type HostTraits, hostTraitsFact } from '../../scripts/facts/host-trait.ts'
import { connectLocal } from '../../scripts/runners/local.ts'

/** A fact and what the host says to it. */
export type FactRow = readonly [question: string, value: unknown]

/** What is asked; how long it may take is not part of that. */
const keyOf = ({ query: { argv, stdin } }: Fact<unknown>): string => JSON.stringify({ argv, stdin })

/** One row of a table of facts. */
export const factRow = <T>(fact: Fact<T>, value: T): FactRow => [keyOf(fact), value]

/** Answers from rows; a question that no row answers is a mistake in the test. */
export const factReaderOf = (rows: readonly FactRow[]): GetFact => {
  const answers = new Map(rows)
  return async <T>(fact: Fact<T>): Promise<T> => {
    const question = keyOf(fact)
    assert.ok(answers.has(question), `no row says: ${question}`)
    return answers.get(question) as T
  }
}

/** Debian 13 on a PC, which can encrypt credentials. */
export const trixie: HostTraits = {
  distribution: 'debian',
  codename: 'trixie',
  versionId: '13',
  platform: 'linux-x64',
  debianArchitecture: 'amd64',
  systemdVersion: 257,
  credentialStore: 'encrypted',
  memoryMegabytes: 8192,
  hasAppArmor: false,
  network: { name: 'server', names: ['server'], addresses: ['192.0.2.7'], resolvers: ['192.0.2.1'] },
}

/** The row for the traits; other than trixie's where given. */
export const traits = (other: Partial<HostTraits> = {}): FactRow => factRow(hostTraitsFact, { ...trixie, ...other })

/** What a resource would change on a host of which the rows are true: one line a change. */
export const planLines = async (resource: Resource, rows: readonly FactRow[]): Promise<readonly string[]> =>
  (await resource.plan(factReaderOf(rows))).map(({ action, reason }) => `${action}, because ${reason}`)

/** The arguments of every command of the changes. */
export const argvOf = (changes: readonly Change[]): readonly (readonly string[])[] =>
  changes.flatMap(({ commands }) => commands.map(({ argv }) => argv))

/** Numbers that nobody can guess. */
export const nonce = (): string => randomBytes(16).toString('hex')

/** This machine, with the rights of whoever runs the tests. */
export const here: Runner = connectLocal(true).runAsUser

/** What this machine says now. */
export const factsHere = (): GetFact => createFactReader(here, nonce)

/** Applies a resource here, command by command, and asserts that it is as wanted afterwards. Gives the changes that were made. */
export const applyHere = async (resource: Resource): Promise<readonly Change[]> => {
  const changes = await resource.plan(factsHere())
  for (const { commands } of changes) {
    for (const command of commands) {
      const { code, stderr } = await here(command)
      assert.equal(code, 0, stderr)
    }
  }
  assert.deepEqual(await resource.plan(factsHere()), [], 'still wanted afterwards')
  return changes
}

/** A folder that is gone after the test. */
export const scratch = (context: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** This machine, with the toolkit's own folder moved into one of the test's: what is under /run belongs to root. */
export const hereGuardedIn =
  (folder: string): Runner =>
  (command, onLine) => {
    const move = (text: string) =>
      text
        .replaceAll('/run/tappass-converge', `${folder}/run`)
        .replaceAll(HOST_PATH.historyFolder, `${folder}/history`)
        .replaceAll(HOST_PATH.sentFilesFolder, `${folder}/sent`)
    const argv = command.argv.map(move) as [string, ...string[]]
    const stdin = typeof command.stdin === 'string' ? move(command.stdin) : command.stdin
    return here({ ...command, argv, ...(stdin === undefined ? {} : { stdin }) }, onLine)
  }
