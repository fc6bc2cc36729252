/** `tappass version`: prints the versions of TapPass and Node. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { type Invocation, isGiven } from '../command-line/invocation.ts'

/** Prints one line, or one JSON object with `--json`. Returns the exit code. */
export async function run(invocation: Invocation): Promise<number> {
  const manifest = JSON.parse(await readFile(join(invocation.root, 'package.json'), 'utf8'))
  const versions = { tappass: String(manifest.version), node: process.versions.node }
  const line = isGiven(invocation, 'json')
    ? JSON.stringify(versions)
    : `tappass ${versions.tappass} (Node ${versions.node})`
  invocation.stdout.write(`${line}\n`)
  return EXIT_CODE.upToDate
}
