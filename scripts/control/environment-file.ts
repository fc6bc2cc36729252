/** `tappass secrets make`: the environment file of containers gets the secrets that it lacks. */
import { chownSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import { type FilledText, fillEnvironment } from '../secrets/environment-file.ts'
import type { Randomness } from '../secrets/secret-generation.ts'

/** Read or written by somebody else than its owner. */
const OTHERS = 0o077
const OWNER_ONLY = 0o600

function readEnvironment(path: string, example: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Failure(
      {
        ...{ what: 'cannot read the environment file', where: path, why: (error as Error).message },
        next: quoteAll(['cp', example, path]),
      },
      EXIT_CODE.refused,
    )
  }
}

/**
 * Fills in the file at `path`, whole or not at all, and lets nobody but its owner read it. Returns what was filled in, by name. Throws a
 * `Failure` (exit 5) where it can't be read, or holds a value that is no secret of its name: then it stays as it is.
 */
export function completeEnvironmentFile(
  path: string,
  example: string,
  random: Randomness,
): Omit<FilledText, 'text' | 'problems'> & Readonly<{ isClosed: boolean }> {
  const before = readEnvironment(path, example)
  const resolve = (name: string) => (isAbsolute(name) ? name : join(dirname(path), name))
  const { text, problems, ...found } = fillEnvironment(before, random, (name) => readFileSync(resolve(name), 'utf8'))
  if (problems.length > 0)
    throw new Failure(
      {
        ...{ what: 'the environment file holds what is no secret', where: path, why: problems.join('; ') },
        next: 'empty that value or correct it, and run this again',
      },
      EXIT_CODE.refused,
    )
  const { mode, uid, gid } = statSync(path)
  const isClosed = (mode & OTHERS) !== 0
  if (text !== before || isClosed) {
    const target = realpathSync(path)
    const temporary = `${target}.${process.pid}`
    try {
      writeFileSync(temporary, text, { mode: OWNER_ONLY, flag: 'wx', flush: true })
      // Run with sudo, it stays the file of whoever has it.
      chownSync(temporary, uid, gid)
      renameSync(temporary, target)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw new Failure(
        {
          ...{ what: 'cannot write the environment file', where: path, why: (error as Error).message },
          next: quoteAll(['ls', '-ld', dirname(path)]),
        },
        EXIT_CODE.failed,
      )
    }
  }
  return { ...found, isClosed }
}
