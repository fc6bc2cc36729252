/** `upgrade --archive FILE`: the release in the file is unpacked, compared, and does the upgrade itself: only its own toolkit knows its units and migrations. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { exitCodeOf } from '../../contract/exit-code.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { usageFailure } from '../core/failure.ts'
import { unpackReleaseFile } from './release-file.ts'

/** Says to the toolkit of an unpacked release that it is the one of the file. */
const ARCHIVE_VARIABLE = 'TAPPASS_ARCHIVE'

/** The command line as it was typed, `--archive` included: so hints name it. */
function wordsOf({ verb, options }: Invocation): readonly string[] {
  const words = Object.entries(options).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [value].flat().map((each) => `--${name}=${each}`),
  )
  return [verb.name, ...words]
}

/** Returns the exit code of the release in the file; undefined without `--archive`, and in the toolkit of that release itself. Throws a `Failure` (exit 5) for a damaged file. */
export async function runFromArchive(invocation: Invocation): Promise<number | undefined> {
  const typed = textOption(invocation, 'archive')
  const sha256 = textOption(invocation, 'digest')
  if (typed === undefined) {
    if (sha256 !== undefined) throw usageFailure('"--digest" is about "--archive"', 'tappass upgrade --archive FILE')
    return undefined
  }
  if (isGiven(invocation, 'to'))
    throw usageFailure('"--to" names a release on the host, "--archive" brings one', 'tappass upgrade --archive FILE')
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256))
    throw usageFailure(`"--digest" is 64 hex digits, not "${sha256}"`, 'tappass upgrade --archive FILE --digest HEX')
  const path = resolve(invocation.workingFolder, typed)
  if (invocation.environment[ARCHIVE_VARIABLE] === path) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'tappass-release-'))
  try {
    const root = await unpackReleaseFile(path, folder, sha256)
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
