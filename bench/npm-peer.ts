/** Detectors from npm: installed without their scripts, asked in a process that reads its own packages and reaches no network. */
import { join } from 'node:path'
import { askInLines, type DetectorPeer, readLines } from './detector-peer.ts'
import { NPM_QUIET } from './peer.ts'

/** What a file of an npm peer exports beside it: gives a judge, with the packages of the folder. What that says, `read` reads. */
export type LoadJudge = (packages: string) => Promise<(text: string) => unknown>

/** As many texts come first to warm it up, as they do for ours. */
const WARM_UP = 300

/** Builds a peer. `file` is the one that exports it; `others` are the versions of what its package needs. */
export function npmPeer(
  peer: Pick<DetectorPeer, 'name' | 'version' | 'family' | 'does' | 'read'>,
  file: string,
  others: Readonly<Record<string, string>> = {},
): DetectorPeer {
  const packages = Object.entries({ [peer.name]: peer.version, ...others }).map(
    ([name, version]) => `${name}@${version}`,
  )
  return {
    ...peer,
    files: { 'package.json': JSON.stringify({ private: true }) },
    install: (folder) => [['npm', 'install', ...NPM_QUIET, '--prefix', folder, ...packages]],
    judge: async ({ folder, scratch }, texts) => {
      const readable = [folder, import.meta.dirname, join(import.meta.dirname, '../package.json')]
      const argv = [
        process.execPath,
        '--permission',
        ...readable.map((path) => `--allow-fs-read=${path}`),
        join(import.meta.dirname, 'npm-peer-process.ts'),
        ...[file, join(folder, 'node_modules')],
      ]
      const asked = [...texts.slice(0, WARM_UP), ...texts]
      const output = await askInLines(argv, { HOME: scratch, NODE_ENV: 'production' }, asked)
      return readLines(output, asked.length, peer.read).slice(asked.length - texts.length)
    },
  }
}
