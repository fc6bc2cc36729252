/**
 * Gives the launcher the npm dependencies of a bundle, on a machine that has Node alone: `node toolkit-dependencies.ts BUNDLE PUBLIC-KEY LOCK FOLDER`. The whole bundle is verified
 * before anything of it is unpacked. Run by scripts/install.sh.
 */
import { spawnSync } from 'node:child_process'
import { openSync, readFileSync, readSync } from 'node:fs'
import { readAuthority } from '../control/license-file.ts'
import { Failure, refusedFailure, renderFailure } from '../core/failure.ts'
import { sha256Of } from '../core/sha256.ts'
import { openBundle } from './bundle-file.ts'

/** A few megabytes. */
function readPart(path: string, { start, end }: Readonly<{ start: number; end: number }>): Buffer {
  const bytes = Buffer.alloc(end - start + 1)
  readSync(openSync(path, 'r'), bytes, 0, bytes.length, start)
  return bytes
}

async function unpack(path: string, keyFile: string, lock: string, folder: string): Promise<void> {
  const { manifest, partOf } = await openBundle(path, readAuthority(keyFile))
  if (sha256Of(readFileSync(lock, 'utf8')) !== manifest.lock) {
    const why = `it was made from another ${lock}`
    throw refusedFailure(
      `${path} is of another release`,
      why,
      'use the toolkit that is in the bundle (docs/how-to/bundle.md)',
    )
  }
  const toolkit = manifest.files.find(({ setting }) => setting === 'toolkit')
  if (toolkit === undefined)
    throw refusedFailure(`${path} holds no toolkit`, 'its manifest names none', 'tappass bundle create --help')
  const input = readPart(path, partOf(toolkit))
  const { status, stderr } = spawnSync('tar', ['-xzf', '-', '-C', folder, '--no-same-owner', 'node_modules'], { input })
  if (status !== 0) throw refusedFailure('cannot unpack the dependencies', `${stderr}`.trim(), `df -h ${folder}`)
}

if (import.meta.main) {
  const [path = '', key = '', lock = '', folder = ''] = process.argv.slice(2)
  try {
    await unpack(path, key, lock, folder)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    process.stderr.write(`${renderFailure(error.text, './tappass')}\n`)
    process.exitCode = error.code
  }
}
