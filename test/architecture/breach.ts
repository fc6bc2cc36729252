/** One planted breach or more for each rule of the architecture: what stands where, and where it must be found. */

import type { Manifest } from './dependency-rule.ts'
import type { Room } from './room.ts'

/** `body` follows the opening comment in the file at `path`; it is found in that file unless `at` says otherwise; `rooms` is another table, `manifest` another package.json, `files` are more such files. */
export type Planted = Readonly<{
  rule: string
  path: string
  body: string
  opening?: string
  at?: string
  rooms?: readonly Room[]
  manifest?: Manifest
  files?: readonly string[]
}>

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n')
const constants = (count: number): string => lines(count, (index) => `const c${index} = ${index}`)

const arrow = 'imports follow the arrows between rooms'
const files = 'files hold 250 lines at most'
const functions = 'functions hold 50 lines at most'
const spine = 'govern, converge and app hold 90 lines at most'
const distribution = 'the median file holds 80 lines at most, nine in ten 180'
const siblings = 'siblings do not import each other'
const defaults = 'no default exports'
const environment = 'process.env is read in server/config/config.ts and scripts/cli.ts only'
const clock = 'the clock enters as an argument'
const random = 'randomness enters as an argument'
const atImport = 'nothing happens at import'
const moduleState = 'detection has no state of a module'
const docs = 'every export says what it is'
const skips = 'no test is skipped, to do, or alone'
const replaced = 'replaced words are not used'
const contract = 'what contract/ says is typed nowhere else'
const needs = 'a test file states what the programs need that it starts'
const bounds = 'units and bounds stand last: bodyBytesMax'

/** Modifiers are put together here, so that this file keeps the rule that it plants breaches of. */
const marked = (word: string, modifier: string): string => `${[word, modifier].join('.')}('x', () => undefined)`

/** The rooms of the tree that breaches are planted in. */
export const plantedRooms: readonly Room[] = [
  { path: 'server/core', is: 'Nouns.', knows: [] },
  { path: 'server/steps', is: 'Steps.', knows: ['server/core'], isSet: true },
  { path: 'server/adapters', is: 'Adapters.', knows: [], isSet: true },
  { path: 'server/http', is: 'Routes.', knows: [], isSet: true },
  { path: 'server/app.ts', is: 'Root.', knows: ['server/steps'] },
  { path: 'server', is: 'Processes.', knows: ['server/app.ts'] },
  { path: 'scripts/core', is: 'Nouns.', knows: [] },
  { path: 'scripts/resources', is: 'Resources.', knows: [], isSet: true },
  { path: 'scripts/roles', is: 'Roles.', knows: [], isSet: true },
  { path: 'scripts/runners', is: 'Runners.', knows: [], isSet: true },
  { path: 'scripts/commands', is: 'Commands.', knows: ['scripts/core'], isSet: true },
  { path: 'scripts', is: 'Table of commands.', knows: ['scripts/commands'] },
]

/** A package.json that names nothing. */
export const plantedManifest: Manifest = { dependencies: {}, devDependencies: {}, configuration: '' }

/** All of them. */
export const breaches: readonly Planted[] = [
  { rule: moduleState, path: 'server/steps/x.ts', body: 'let count = 0' },
  { rule: moduleState, path: 'server/steps/x.ts', body: 'const cache = new WeakMap<object, string>()' },
  { rule: moduleState, path: 'server/steps/x.ts', body: 'const seen = new Set()' },
  { rule: moduleState, path: 'server/steps/x.ts', body: 'const scratch = new Uint32Array(8)' },
  { rule: moduleState, path: 'server/steps/x.ts', body: 'const sets: string[][] = []' },
  { rule: moduleState, path: 'server/steps/x.ts', body: "const names = ['a']\nconst add = (name) => names.push(name)" },
  { rule: moduleState, path: 'server/steps/x.ts', body: "const by = { a: 1 }\nconst put = () => { by['b'] = 2 }" },
  { rule: arrow, path: 'scripts/core/up.ts', body: "import { run } from '../commands/go.ts'" },
  { rule: arrow, path: 'scripts/core/up.ts', body: "import type { run } from '../commands/go.ts'" },
  { rule: arrow, path: 'scripts/resources/unit.ts', body: "const late = () => import('../commands/go.ts')" },
  { rule: arrow, path: 'scripts/roles/gateway.ts', body: "import '../runners/ssh.ts'" },
  { rule: arrow, path: 'server/core/late.ts', body: "import { step } from '../steps/see.ts'" },
  { rule: arrow, path: 'server/adapters/clock.ts', body: "import { start } from '../app.ts'" },
  { rule: arrow, path: 'server/http/chat.ts', body: "import { adapter } from '../adapters/redis.ts'" },
  { rule: arrow, path: 'server/core/late.ts', body: "import '../pipes/see.ts'" },
  { rule: arrow, path: 'server/pipes/late.ts', body: "import '../core/look.ts'" },
  {
    rule: 'every arrow of the table is used',
    path: 'server/core/x.ts',
    body: '',
    at: 'server/http:1',
    rooms: plantedRooms.map((room) => (room.path === 'server/http' ? { ...room, knows: ['server/core'] } : room)),
  },
  {
    rule: 'a room knows only rooms that stand before it in the table',
    path: 'server/core/x.ts',
    body: '',
    at: 'server/steps:1',
    rooms: plantedRooms.toSorted((a, b) => Number(b.path === 'server/steps') - Number(a.path === 'server/steps')),
  },
  {
    rule: 'a room of nouns holds 25 files at most',
    path: 'server/core/x.ts',
    body: '',
    at: 'server/core:1',
    files: lines(25, (index) => `server/core/x${index}.ts`).split('\n'),
  },
  {
    rule: 'scripts/ and server/ never import each other',
    path: 'scripts/core/x.ts',
    body: "import { look } from '../../server/core/look.ts'",
  },
  {
    rule: 'scripts/ and server/ never import each other',
    path: 'server/core/x.ts',
    body: "import { plan } from '../../scripts/converge/plan.ts'",
  },
  { rule: 'nothing imports test/', path: 'server/core/x.ts', body: "import '../../test/server/core/look.test.ts'" },
  { rule: 'nothing imports test/', path: 'bench/x.ts', body: "import '../test/server/core/look.test.ts'" },
  { rule: siblings, path: 'server/steps/other.ts', body: "import { step } from './see.ts'" },
  { rule: siblings, path: 'scripts/commands/other.ts', body: "import { run } from './go.ts'" },
  { rule: siblings, path: 'scripts/resources/other.ts', body: "import type { File } from './file.ts'" },
  { rule: 'imports name the file, .ts included', path: 'scripts/core/x.ts', body: "import { plan } from './plan'" },
  {
    rule: 'no cycles',
    path: 'server/core/look.ts',
    body: "import { other } from './other.ts'\nimport { look } from './look.ts'",
  },
  { rule: 'no barrel files', path: 'scripts/core/all.ts', body: "export * from './plan.ts'" },
  { rule: 'no barrel files', path: 'scripts/core/all.ts', body: "export { plan } from './plan.ts'" },
  { rule: defaults, path: 'server/core/x.ts', body: 'export default 1' },
  { rule: defaults, path: 'server/core/x.ts', body: 'export default function x() {}' },
  { rule: defaults, path: 'server/core/x.ts', body: 'const x = 1\nexport { x as default }' },
  { rule: files, path: 'server/core/x.ts', body: constants(250) },
  { rule: functions, path: 'server/core/x.ts', body: `const x = () => {\n${constants(49)}\n}` },
  { rule: functions, path: 'scripts/core/x.ts', body: `class X {\n  y() {\n${constants(49)}\n  }\n}` },
  { rule: spine, path: 'server/app.ts', body: constants(90) },
  { rule: spine, path: 'scripts/converge/converge.ts', body: constants(90) },
  { rule: distribution, path: 'server/core/x.ts', body: constants(180), at: 'server:' },
  { rule: 'files and folders are named in kebab-case', path: 'server/core/auditLog.ts', body: '' },
  { rule: 'files and folders are named in kebab-case', path: 'server/core/audit_log/x.ts', body: '' },
  { rule: 'no file is named after nothing', path: 'server/core/util.ts', body: '' },
  { rule: 'no file is named after nothing', path: 'server/lib/x.ts', body: '' },
  { rule: 'no file is named after nothing', path: 'scripts/core/host-helper.ts', body: '' },
  { rule: 'no file is named after nothing', path: 'scripts/core/data.ts', body: '' },
  {
    rule: 'no export is named after nothing',
    path: 'server/core/x.ts',
    body: '\n/** X. */\nexport const stepManager = 1',
  },
  { rule: 'no export is named after nothing', path: 'server/core/x.ts', body: '\n/** X. */\nexport type Data = 1' },
  { rule: bounds, path: 'server/core/x.ts', body: 'const maxBodyBytes = 5' },
  { rule: bounds, path: 'server/core/x.ts', body: 'type X = Readonly<{ msTimeout: number }>' },
  {
    rule: 'booleans begin with is, has or should',
    path: 'server/core/x.ts',
    body: 'type X = Readonly<{ open: boolean }>',
  },
  {
    rule: 'booleans begin with is, has or should',
    path: 'server/core/x.ts',
    body: 'const x = (open: boolean) => open',
  },
  { rule: 'a file opens with what it is', path: 'server/core/x.ts', body: 'const x = 1', opening: 'const y = 1' },
  { rule: docs, path: 'server/core/x.ts', body: '\nexport const x = 1' },
  { rule: docs, path: 'server/core/x.ts', body: '\n/** Y. */\nexport type Y = 1\n\nexport type X = 1' },
  { rule: replaced, path: 'server/core/x.ts', body: 'const makeDoor = () => 1' },
  { rule: replaced, path: 'server/core/x.ts', body: 'type X = Readonly<{ reachChars: number }>' },
  { rule: replaced, path: 'server/core/x.ts', body: 'class X {\n  #tap = (door: number) => door\n}' },
  { rule: replaced, path: 'server/core/frame.ts', body: '' },
  { rule: replaced, path: 'scripts/core/x.ts', body: 'const x = (know: number) => know' },
  { rule: contract, path: 'scripts/core/x.ts', body: 'const port = 9_620' },
  { rule: contract, path: 'server/core/x.ts', body: "const url = 'http://127.0.0.1:9620/health'" },
  { rule: contract, path: 'scripts/core/x.ts', body: 'const path = (name: string) => `/etc/tappass/${name}`' },
  { rule: contract, path: 'scripts/core/x.ts', body: "const text = 'units/tappass-caddy.service.hbs'" },
  { rule: environment, path: 'server/core/x.ts', body: 'const x = () => process.env.HOME' },
  { rule: environment, path: 'scripts/commands/x.ts', body: "const x = () => process.env['HOME']" },
  {
    rule: 'process.exit stands in process entry files only',
    path: 'server/app.ts',
    body: 'const x = () => process.exit(1)',
  },
  { rule: clock, path: 'server/core/x.ts', body: 'const x = () => Date.now()' },
  { rule: clock, path: 'scripts/resources/x.ts', body: 'const x = () => new Date()' },
  { rule: clock, path: 'server/steps/x.ts', body: 'const x = () => performance.now()' },
  { rule: random, path: 'server/core/x.ts', body: 'const x = () => Math.random()' },
  { rule: random, path: 'server/steps/x.ts', body: 'const x = () => randomUUID()' },
  { rule: atImport, path: 'server/core/x.ts', body: "console.log('x')" },
  { rule: atImport, path: 'server/core/x.ts', body: "const x = readFileSync('x')" },
  { rule: atImport, path: 'server/core/x.ts', body: "const x = await import('node:fs')" },
  { rule: atImport, path: 'scripts/commands/x.ts', body: 'for (const x of []) x()' },
  { rule: atImport, path: 'server/audit.ts', body: 'process.exit(1)' },
  { rule: needs, path: 'test/x.test.ts', body: "spawn('git', ['apply'])" },
  {
    rule: needs,
    path: 'test/x.test.ts',
    body: "childProcess.execFileSync('openssl')",
    opening: '/** X. Needs: git. */',
  },
  { rule: needs, path: 'test/scripts/x.ts', body: "await demand(['redis-server', '--port', port])" },
  { rule: needs, path: 'test/x.test.ts', body: "execSync('bash -c true')" },
  { rule: needs, path: 'test/x.test.ts', body: 'await $({ quiet: true })`git apply ${file}`' },
  { rule: needs, path: 'test/lab/x.test.ts', body: "execute(['zstd', file])" },
  {
    rule: 'every dependency is imported by shipped code',
    path: 'test/x.test.ts',
    body: "import { x } from 'semver'",
    at: 'package.json:',
    manifest: { ...plantedManifest, dependencies: { semver: '7' } },
  },
  {
    rule: 'shipped code imports dependencies only',
    path: 'server/core/x.ts',
    body: "import { x } from '@scope/name/part.js'",
    manifest: { ...plantedManifest, devDependencies: { '@scope/name': '1' } },
  },
  {
    rule: 'every devDependency is used by tests, benches or configuration',
    path: 'test/x.test.ts',
    body: "import { x } from 'semver'",
    at: 'package.json:',
    manifest: { ...plantedManifest, devDependencies: { semver: '7', openai: '7' } },
  },
  { rule: skips, path: 'test/x.test.ts', body: marked('test', 'skip') },
  { rule: skips, path: 'test/x.test.ts', body: marked('describe', 'only') },
  { rule: skips, path: 'test/x.test.ts', body: marked('it', 'todo') },
  { rule: skips, path: 'test/x.test.ts', body: "test('x', { skip: true }, () => undefined)" },
]
