/** The environment file of containers: what it lacks is filled in, what it has stays, and what is no secret is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { SYSTEM_RANDOMNESS } from '../../../scripts/runners/randomness.ts'
import { fillEnvironment } from '../../../scripts/secrets/environment-file.ts'
import { GENERATED_NAMES } from '../../../scripts/secrets/secret-generation.ts'

const fill = (text: string, files: Readonly<Record<string, string>> = {}) =>
  fillEnvironment(text, SYSTEM_RANDOMNESS, (path) => {
    const content = files[path]
    if (content === undefined) throw new Error(`no such file: ${path}`)
    return content
  })
const admin = `tp_${'a'.repeat(24)}`

type Row = Readonly<{
  name: string
  text: string
  files?: Readonly<Record<string, string>>
  generated?: readonly string[]
  taken?: readonly string[]
  kept?: readonly string[]
  problems?: RegExp
  /** What the result has beside the values. */
  has?: RegExp
}>

const all = [...GENERATED_NAMES]
const without = (...names: readonly string[]) => all.filter((name) => !names.includes(name))
const key = SYSTEM_RANDOMNESS.signingKey()

const rows: readonly Row[] = [
  { name: 'an empty file', text: '', generated: all },
  { name: 'no end of a line at its end', text: 'OPENAI_API_KEY=', generated: all, has: /^OPENAI_API_KEY=\nTAPPASS_/ },
  {
    name: 'a value stays, and so do comments and other settings',
    text: `# mine\nTAPPASS_ADMIN_API_KEY=${admin} # from the safe\nTAPPASS_PORT=80\n`,
    generated: without('TAPPASS_ADMIN_API_KEY'),
    kept: ['TAPPASS_ADMIN_API_KEY'],
    has: /^# mine\nTAPPASS_ADMIN_API_KEY=tp_a+ # from the safe\nTAPPASS_PORT=80\n/,
  },
  {
    name: 'a line without a value is filled in',
    text: 'A=1\nPOSTGRES_PASSWORD=\nB=2\n',
    generated: all,
    has: /^A=1\nPOSTGRES_PASSWORD=\S{32}\nB=2\n/,
  },
  {
    name: 'with a comment, in quotes',
    text: 'POSTGRES_PASSWORD="" # later\nB=2\n',
    generated: all,
    has: /^POSTGRES_PASSWORD=\S{32}\nB=2\n/,
  },
  {
    name: 'exported',
    text: 'export POSTGRES_PASSWORD=\nB=2\n',
    generated: all,
    has: /^POSTGRES_PASSWORD=\S{32}\nB=2\n/,
  },
  {
    name: 'the file of a key, as the playbook has it',
    text: 'TAPPASS_TOKEN_KEY_FILE="tappass-token.pem"\n',
    files: { 'tappass-token.pem': key },
    generated: without('TAPPASS_TOKEN_KEY'),
    taken: ['TAPPASS_TOKEN_KEY'],
  },
  {
    name: 'a key over several lines stays',
    text: `TAPPASS_TOKEN_KEY="${key.trimEnd()}"\nB=2\n`,
    generated: without('TAPPASS_TOKEN_KEY'),
    kept: ['TAPPASS_TOKEN_KEY'],
  },
  {
    name: 'the example of the playbook',
    text: 'TAPPASS_ADMIN_API_KEY="tp_..."\n',
    problems: /^TAPPASS_ADMIN_API_KEY is not tp_/,
  },
  {
    name: 'a file that is not there',
    text: 'TAPPASS_TOKEN_KEY_FILE=no.pem\n',
    problems: /^TAPPASS_TOKEN_KEY_FILE .*no such file: no\.pem/,
  },
  { name: 'a provider’s key with a blank', text: 'OPENAI_API_KEY="sk-1 2"\n', problems: /^OPENAI_API_KEY has a blank/ },
  { name: 'half a key', text: 'TAPPASS_VAULT_KEY=abc\n', problems: /^TAPPASS_VAULT_KEY is not 32 bytes/ },
]

for (const { name, text, files = {}, generated, taken = [], kept = [], problems, has = /(?:)/ } of rows)
  test(`environment file: ${name}`, () => {
    const filled = fill(text, files)
    if (problems !== undefined) {
      assert.match(filled.problems.join('\n'), problems)
      // A problem never holds the value.
      assert.doesNotMatch(filled.problems.join('\n'), /tp_\.\.\.|sk-1/)
      return
    }
    assert.deepEqual([filled.generated, filled.taken, filled.kept, filled.problems], [generated, taken, kept, []])
    assert.match(filled.text, has)
    const values = parseEnv(filled.text)
    for (const each of all) assert.ok((values[each] ?? '').length >= 24, each)
    const again = fill(filled.text, files)
    assert.deepEqual([again.text, again.generated, again.taken, again.kept], [filled.text, [], [], all])
  })
