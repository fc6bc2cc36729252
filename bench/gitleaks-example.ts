/**
 * The true examples of gitleaks' rules: its generator prints them where it would check its rules with them (gitleaks-examples/). Made from
 * its Go module in a cache folder, the same in every run; nothing of it is part of this repository.
 */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asToolResult, type Sample } from './judgement-sample.ts'
import { type Installable, installPeer } from './peer.ts'

const VERSION = '8.30.1'
const OURS = ['validate.go', 'regen.go'] as const

/** With the folder and the module as arguments. */
const SCRIPT = `set -euo pipefail
module=$(cd / && go mod download -json "$2" | sed -n 's/^.*"Dir": "\\(.*\\)".*$/\\1/p')
cp -r "$module" "$1/source" && chmod -R u+w "$1/source"
cp "$1/validate.go" "$1/source/cmd/generate/config/utils/validate.go"
cp "$1/regen.go" "$1/source/cmd/generate/secrets/regen.go"
cd "$1/source/cmd/generate/config" && go run . /dev/null >"$1/examples.jsonl"
rm -rf "$1/source"`

const examples: Installable = {
  name: 'gitleaks-examples',
  version: VERSION,
  files: Object.fromEntries(
    OURS.map((name) => [name, readFileSync(join(import.meta.dirname, 'gitleaks-examples', name), 'utf8')]),
  ),
  install: (folder) => [['bash', '-c', SCRIPT, 'bash', folder, `github.com/zricethezav/gitleaks/v8@v${VERSION}`]],
}

/** The name of their group. */
export const EXAMPLES = "gitleaks' own examples"

/** Its lines as samples, each different text once. */
export function samplesOf(lines: string): readonly Sample[] {
  const rows = lines.trim().split('\n')
  const texts = new Set(rows.map((line) => (JSON.parse(line) as Readonly<{ text: string }>).text))
  return [...texts].toSorted().map((text) => {
    return { group: EXAMPLES, stage: 'request', isAttack: true, body: asToolResult(text), text, key: text }
  })
}

/** The samples, or why there are none. */
export async function gitleaksExamples(cache: string): Promise<readonly Sample[] | string> {
  const made = await installPeer(examples, cache)
  return 'reason' in made ? made.reason : samplesOf(await readFile(join(made.folder, 'examples.jsonl'), 'utf8'))
}
