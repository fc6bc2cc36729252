/** `upgrade --archive FILE`: the release in the file is unpacked, compared, and does the upgrade itself: only its own toolkit knows its units and migrations. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { exitCodeOf } from '../../contract/exit-code.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { readAuthority } from '../control/license-file.ts'
import { usageFailure } from '../core/failure.ts'
import { type ReleaseDemand, unpackReleaseFile } from './release-file.ts'

/** Says to the toolkit of an unpacked release that it is the one of the file. */
const ARCHIVE_VARIABLE = 'TAPPASS_ARCHIVE'

/** The command line as it was typed, `--archive` included: so hints name it. What the file is compared with was looked at here, and a release may not know all of it. */
function wordsOf({ verb, options }: Invocation): readonly string[] {
  const words = Object.entries(options).flatMap(([name, value]) =>
    name === 'digest' || name === 'archive-key'
      ? []
      : value === true
        ? [`--${name}`]
        : [value].flat().map((each) => `--${name}=${each}`),
  )
  return [verb.name, ...words]
}

/** Returns what the command line demands of the file. Throws a usage failure for what is no digest, and a `Failure` (exit 5) for what is no public key. */
function demandOf(invocation: Invocation): ReleaseDemand {
  const [sha256, key] = [textOption(invocation, 'digest'), textOption(invocation, 'archive-key')]
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
    throw usageFailure(`"--digest" is 64 hex digits, not "${sha256}"`, 'tappass upgrade --archive FILE --digest HEX')
  return { sha256, publicKey: key === undefined ? undefined : readAuthority(resolve(invocation.workingFolder, key)) }
}

/** Returns the exit code of the release in the file; undefined without `--archive`, and in the toolkit of that release itself. Throws a `Failure` (exit 5) for a damaged file. */
export async function runFromArchive(invocation: Invocation): Promise<number | undefined> {
  const typed = textOption(invocation, 'archive')
  if (typed === undefined) {
    for (const name of ['digest', 'archive-key'])
      if (isGiven(invocation, name))
        throw usageFailure(`"--${name}" is about "--archive"`, 'tappass upgrade --archive FILE')
    return undefined
  }
  if (isGiven(invocation, 'to'))
    throw usageFailure('"--to" names a release on the host, "--archive" brings one', 'tappass upgrade --archive FILE')
  const path = resolve(invocation.workingFolder, typed)
  if (invocation.environment[ARCHIVE_VARIABLE] === path) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'tappass-release-'))
  try {
    const root = await unpackReleaseFile(path, folder, demandOf(invocation))
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(root, 'scripts/cli.ts'), ...wordsOf(invocation)],
      {
        cwd: invocation.workingFolder,
        stdio: 'inherit',
        env: { ...invocation.environment, [ARCHIVE_VARIABLE]: path, TAPPASS_PROGRAM: invocation.program },
      },
    )
    // Ctrl-C reaches both; this one waits for how the other ends.
    invocation.interrupt.addEventListener('abort', () => void child.kill(), { once: true })
    const [code] = await once(child, 'exit')
    return exitCodeOf(code ?? 1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
