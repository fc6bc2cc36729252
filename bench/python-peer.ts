/** Detectors from PyPI: pinned by detector-peers/python/NAME.txt with hashes, asked by a driver beside it in a process without network. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { askInLines, type DetectorPeer, readLines } from './detector-peer.ts'

const FOLDER = join(import.meta.dirname, 'detector-peers/python')

/** Builds a peer. `pins` and `driver` are the names of its two files there, without their extensions. */
export function pythonPeer(
  peer: Pick<DetectorPeer, 'name' | 'version' | 'family' | 'does' | 'read'>,
  pins: string,
  driver: string,
): DetectorPeer {
  return {
    ...peer,
    files: { 'requirements.txt': readFileSync(join(FOLDER, `${pins}.txt`), 'utf8') },
    install: (folder) => [
      ['python3', '-m', 'venv', folder],
      [
        join(folder, 'bin/pip'),
        ...['install', '--quiet', '--disable-pip-version-check', '--require-hashes'],
        ...['-r', join(folder, 'requirements.txt')],
      ],
    ],
    judge: async ({ folder, scratch }, texts) => {
      const argv = [join(folder, 'bin/python'), join(FOLDER, `${driver}.py`), scratch]
      const env = { HOME: scratch, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1', HF_HUB_OFFLINE: '1' }
      return readLines(await askInLines(argv, env, texts), texts.length, peer.read)
    },
  }
}
