/** gitleaks, built from its Go module: all texts as files of one folder, one run. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { type DetectorPeer, list, member } from '../detector-peer.ts'

const VERSION = '8.30.1'
const FLAGS = ['--no-banner', '--log-level=error', '--exit-code=0', '--report-format=json', '--report-path=report.json']

/** Its report by text: file N.txt is the Nth. */
export function byText(report: unknown, count: number): readonly (readonly unknown[])[] {
  const leaks = Map.groupBy(list(report), (leak) => Number(basename(member(leak, 'File', 'string'), '.txt')))
  const unknown = [...leaks.keys()].find((index) => !(index >= 0 && index < count))
  if (unknown !== undefined) throw new Error(`a leak in file ${unknown} of ${count}`)
  return Array.from({ length: count }, (_, index) => leaks.get(index) ?? [])
}

const read: DetectorPeer['read'] = (said) => list(said).map((leak) => ({ kind: member(leak, 'RuleID', 'string') }))

/** Runs it; the shell tells the processor time. Returns the report and the microseconds. */
async function scan(program: string, scratch: string): Promise<readonly [report: unknown, us: number]> {
  const argv = ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', program, 'dir', 'texts', ...FLAGS]
  const { stderr } = await promisify(execFile)('bash', argv, { cwd: scratch, env: { HOME: scratch, LC_ALL: 'C' } })
  const seconds = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
  const report: unknown = JSON.parse(await readFile(join(scratch, 'report.json'), 'utf8'))
  return [report, 1e6 * seconds.reduce((sum, part) => sum + part, 0)]
}

/** The peer. Its processor time is that of the run, by the bytes of the texts. */
export const peer: DetectorPeer = {
  name: 'gitleaks',
  version: VERSION,
  family: 'secret',
  does: '`gitleaks dir` with its built-in rules, each text as a file; its start is in the processor time',
  files: {},
  install: (folder) => [
    [
      ...['env', `GOBIN=${folder}`, 'CGO_ENABLED=0', 'go', 'install', '-trimpath'],
      `github.com/zricethezav/gitleaks/v8@v${VERSION}`,
    ],
  ],
  read,
  judge: async ({ folder, scratch }, texts) => {
    await mkdir(join(scratch, 'texts'))
    for (const [index, text] of texts.entries()) await writeFile(join(scratch, 'texts', `${index}.txt`), text)
    const [report, us] = await scan(join(folder, 'gitleaks'), scratch)
    const sizes = texts.map((text) => Buffer.byteLength(text))
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    return byText(report, texts.length).map((leaks, index) => ({
      us: (us * (sizes[index] ?? 0)) / bytes,
      found: read(leaks),
    }))
  },
}
