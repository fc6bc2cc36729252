/** What is asked about the log of runs. */
import { HOST_PATH } from '../../contract/path.ts'
import type { Fact, GetFact } from '../core/host.ts'
import { contentFact } from '../facts/path.ts'
import type { EntryFile, RawHistory } from './entry.ts'

const DIVIDER = '=='

/** Names and digests, texts, the content store. `grep ''` prints each line behind the name of its file. */
const SCRIPT = `cd "$1/entries" 2>/dev/null || exit 0; set -- *.json; [ -e "$1" ] || exit 0
sha256sum -- "$@"; echo '${DIVIDER}'; grep -H '' -- "$@"; echo '${DIVIDER}'
cd ../content && find . -maxdepth 1 -type f ! -name '.*' -exec sha256sum {} +`

function rowsOf(text: string, divider: string): readonly (readonly [string, string])[] {
  return text
    .split('\n')
    .filter((row) => row.includes(divider))
    .map((row) => [row.slice(0, row.indexOf(divider)), row.slice(row.indexOf(divider) + divider.length)])
}

/** The log, as it stands there. Empty where no run was noted. */
export const historyFact: Fact<RawHistory> = {
  query: { argv: ['sh', '-c', SCRIPT, 'sh', HOST_PATH.historyFolder], effect: 'read' },
  parse: ({ stdout }) => {
    const [sums = '', lines = '', content = ''] = stdout.split(`${DIVIDER}\n`)
    const texts = Map.groupBy(rowsOf(lines, ':'), ([name]) => name)
    const files = rowsOf(sums, '  ').map(([sha256, name]): EntryFile => {
      const text = (texts.get(name) ?? []).map(([, line]) => `${line}\n`).join('')
      return { name, sha256, text }
    })
    const stored = rowsOf(content, '  ./')
    return {
      files,
      content: new Set(stored.map(([, name]) => name)),
      damaged: stored.filter(([sum, name]) => sum !== name).map(([, name]) => name),
    }
  },
}

/** The name of the last entry; empty where no run was noted. */
export const historyHeadFact: Fact<string> = {
  query: {
    argv: ['sh', '-c', 'ls -1 -- "$1/entries" 2>/dev/null | tail -n 1', 'sh', HOST_PATH.historyFolder],
    effect: 'read',
  },
  parse: ({ stdout }) => stdout.trim(),
}

/** Returns a text of the content store; undefined: it is missing. */
export async function storedText(getFact: GetFact, sha256: string): Promise<string | undefined> {
  return await getFact(contentFact(`${HOST_PATH.historyFolder}/content/${sha256}`))
}
