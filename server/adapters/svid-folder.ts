/**
 * The folder that spiffe-helper keeps: the gateway's own SVID, its key, and the trust bundle. It is looked at twice a second: its files are written one
 * after the other, and in place, so a look may find half of one, or two that do not fit.
 */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../core/ports.ts'
import { createTokenCheck, type TokenCheck, type TokenDemand } from '../svid/jwt-svid.ts'
import { readSvidSet, type SvidSet } from '../svid/svid-set.ts'
import { readTokenKeys } from '../svid/trust-bundle.ts'

const LOOK_MS = 500

/** What was taken of the folder, and why its files as they are were not. `bundleChangedMs` is when the bundle was last written. */
export type SvidFolderState = Readonly<{
  set: SvidSet | undefined
  checkToken: TokenCheck | undefined
  problems: readonly string[]
  bundleChangedMs: number | undefined
}>

/** The state, which changes when the files do. */
export type SvidFolder = Readonly<{ state: () => SvidFolderState; close: () => void }>

/** A file as it was read: its text, the code of why it could not be read, or neither when it is not there. */
type Content = Readonly<{ text?: string; error?: string }>

type Contents = Readonly<Record<'certificate' | 'key' | 'bundle' | 'tokenKeys', Content>>

const FILES: Readonly<Record<keyof Contents, string>> = {
  certificate: 'svid.pem',
  key: 'svid_key.pem',
  bundle: 'svid_bundle.pem',
  tokenKeys: 'jwt_bundle.json',
}

/**
 * Opens the folder. `onLook` is called with the state after every look that changed it. Of a set whose files do not fit nothing is taken, and the one before
 * stays; a change is taken when two looks in a row have found the same.
 */
export async function openSvidFolder(
  { folder, ...demand }: TokenDemand & Readonly<{ folder: string }>,
  clock: Clock,
  onLook: (state: SvidFolderState) => void,
): Promise<SvidFolder> {
  let state: SvidFolderState = { set: undefined, checkToken: undefined, problems: [], bundleChangedMs: undefined }
  let seen: Contents | undefined
  let taken: Contents | undefined

  async function look(): Promise<void> {
    const contents = await readContents(folder)
    const isSettled = seen === undefined || isSame(contents, seen)
    seen = contents
    if (!isSettled || (taken !== undefined && isSame(contents, taken) && state.problems.length === 0)) return
    const set = takeSet(contents, demand.trustDomain, clock.nowMs(), state.set)
    const token = await takeTokenKeys(contents.tokenKeys, demand, taken?.tokenKeys, state.checkToken)
    const bundleChangedMs = set.problem === undefined ? await changedMs(join(folder, FILES.bundle)) : undefined
    taken = contents
    const problems = [set.problem, token.problem].filter((problem) => problem !== undefined)
    const isChanged = set.set !== state.set || token.check !== state.checkToken || !isSame(problems, state.problems)
    state = {
      set: set.set,
      checkToken: token.check,
      problems,
      bundleChangedMs: bundleChangedMs ?? state.bundleChangedMs,
    }
    if (isChanged) onLook(state)
  }

  await look()
  let isClosed = false
  const lookOn = async (): Promise<void> => {
    await look()
    if (!isClosed) timer = setTimeout(lookOn, LOOK_MS).unref()
  }
  let timer = setTimeout(lookOn, LOOK_MS).unref()
  return {
    state: () => state,
    close: () => {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

/** Returns the set of the files where they fit, else the one before with what is wrong. */
function takeSet(
  { certificate, key, bundle }: Contents,
  trustDomain: string,
  nowMs: number,
  before: SvidSet | undefined,
): Readonly<{ set: SvidSet | undefined; problem?: string }> {
  const missing = Object.entries({ certificate, key, bundle }).find(([, { text }]) => text === undefined)
  if (missing) return { set: before, problem: problemOf(missing[0] as keyof Contents, missing[1]) }
  const texts = { certificate: certificate.text ?? '', key: key.text ?? '', bundle: bundle.text ?? '' }
  if (before !== undefined && isSame(texts, before.texts)) return { set: before }
  const result = readSvidSet(texts, trustDomain, nowMs)
  return result.status === 'fits' ? { set: result.set } : { set: before, problem: result.problem }
}

/** Without the file there is no check, and no problem: only those who want JWT-SVIDs have it written. */
async function takeTokenKeys(
  content: Content,
  demand: TokenDemand,
  contentBefore: Content | undefined,
  before: TokenCheck | undefined,
): Promise<Readonly<{ check: TokenCheck | undefined; problem?: string }>> {
  const { text, error } = content
  if (error !== undefined) return { check: before, problem: problemOf('tokenKeys', content) }
  if (text === undefined) return { check: undefined }
  if (text === contentBefore?.text && before !== undefined) return { check: before }
  try {
    return { check: await createTokenCheck(readTokenKeys(text, demand.trustDomain), demand) }
  } catch (cause) {
    return { check: before, problem: `${FILES.tokenKeys}: ${(cause as Error).message}` }
  }
}

function problemOf(part: keyof Contents, { error }: Content): string {
  return `${FILES[part]} ${error === undefined ? 'is not there' : `can't be read (${error})`}`
}

async function readContents(folder: string): Promise<Contents> {
  const read = (name: string): Promise<Content> =>
    readFile(join(folder, name), 'utf8').then(
      (text) => ({ text }),
      ({ code }: NodeJS.ErrnoException) => (code === 'ENOENT' ? {} : { error: code ?? 'unknown' }),
    )
  const contents = Object.entries(FILES).map(async ([part, name]) => [part, await read(name)])
  return Object.fromEntries(await Promise.all(contents)) as Contents
}

async function changedMs(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )
}

function isSame<Value extends object>(one: Value, other: Value): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
