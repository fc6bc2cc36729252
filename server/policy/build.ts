/**
 * Compiles the policy to WebAssembly and writes its lock file and the base document for an OPA server; `--check`
 * compiles and compares instead, byte for byte. A process of its own: `node server/policy/build.ts [--opa PATH]
 * [--check] [--data]`. Users never need it, nor a compiler; `--data` writes the document and its lock alone, without one.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { policyRevision } from '../core/decision.ts'
import { createFamilyRegistry } from '../core/finding-family.ts'
import { sha256 } from '../core/hash.ts'
import { readFamilies } from '../rules/rule-source.ts'
import { policyDocument } from './policy-document.ts'

/** The entrypoint for the compiler: the rule `decision` of package tappass.verdict. */
export const ENTRYPOINT = 'tappass/verdict/decision'

/** What an OPA server is given beside the sources. */
const SERVED = ['data.json', 'opa/decision_log.rego'] as const

/**
 * What policy.lock.json holds: the compiler's version, SHA-256 in hex of each source, of the result, and of what an OPA server is given
 * beside the sources; and the policy's revision with the built-in families.
 */
export type PolicyLock = Readonly<{
  opa: string
  entrypoint: string
  sources: Readonly<Record<string, string>>
  wasm: string
  served: Readonly<Record<string, string>>
  revision: string
}>

/** What the compiler is about. */
type CompiledLock = Omit<PolicyLock, 'served' | 'revision'>

/** Names of the sources in a folder, sorted, without their tests. */
export function policySources(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego'))
    .sort()
}

/** Returns the hash of each source in a folder. */
export function hashSources(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(policySources(folder).map((name) => [name, sha256(readFileSync(join(folder, name)))]))
}

/** Compiles the sources of a folder with the compiler at `opa`. Throws with the compiler's output. */
export function compilePolicy(folder: string, opa: string): Readonly<{ wasm: Uint8Array; lock: CompiledLock }> {
  const stagingFolder = mkdtempSync(join(tmpdir(), 'tappass-policy-'))
  try {
    const bundle = join(stagingFolder, 'bundle.tar.gz')
    const build = [
      'build',
      '--target',
      'wasm',
      '--entrypoint',
      ENTRYPOINT,
      '--output',
      bundle,
      ...policySources(folder),
    ]
    execFileSync(opa, build, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    execFileSync('tar', ['-xzf', bundle, '-C', stagingFolder, '/policy.wasm'], {
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    const wasm = readFileSync(join(stagingFolder, 'policy.wasm'))
    const version = /^Version: (\S+)$/m.exec(execFileSync(opa, ['version'], { encoding: 'utf8' }))?.[1] ?? 'unknown'
    const lock = { opa: version, entrypoint: ENTRYPOINT, sources: hashSources(folder), wasm: sha256(wasm) }
    return { wasm, lock }
  } finally {
    rmSync(stagingFolder, { recursive: true, force: true })
  }
}

/** The text of data.json: the document of the built-in families. A gateway adds those that its steps bring. */
export function documentText(): string {
  return `${JSON.stringify(policyDocument(createFamilyRegistry(readFamilies())), null, 2)}\n`
}

/** Returns the lock's text: of the last compilation, and of what stands in the folder for an OPA server. */
export function lockText(folder: string, compiled: CompiledLock): string {
  const { opa, entrypoint, sources, wasm } = compiled
  const digestOf = (name: string) =>
    sha256(name === 'data.json' ? documentText() : readFileSync(join(folder, name), 'utf8'))
  const served = Object.fromEntries(SERVED.map((name) => [name, digestOf(name)]))
  const revision = policyRevision(wasm, JSON.parse(documentText()) as object)
  return `${JSON.stringify({ opa, entrypoint, sources, wasm, served, revision }, null, 2)}\n`
}

/** Compiles, and writes or compares. Returns the exit code: 1 when the files differ from the compiled sources. */
function run(): number {
  const { values } = parseArgs({
    options: {
      opa: { type: 'string', default: 'opa' },
      check: { type: 'boolean', default: false },
      data: { type: 'boolean', default: false },
    },
  })
  const folder = import.meta.dirname
  const lockPath = join(folder, 'policy.lock.json')
  if (!values.check) writeFileSync(join(folder, 'data.json'), documentText())
  if (values.data) {
    if (!values.check)
      writeFileSync(lockPath, lockText(folder, JSON.parse(readFileSync(lockPath, 'utf8')) as CompiledLock))
    return 0
  }
  const { wasm, lock } = compilePolicy(folder, values.opa)
  if (!values.check) {
    writeFileSync(join(folder, 'policy.wasm'), wasm)
    writeFileSync(lockPath, lockText(folder, lock))
    return 0
  }
  const isSame =
    readFileSync(join(folder, 'policy.wasm')).equals(wasm) &&
    readFileSync(lockPath, 'utf8') === lockText(folder, lock) &&
    readFileSync(join(folder, 'data.json'), 'utf8') === documentText()
  process.stderr.write(
    isSame
      ? 'policy.wasm and data.json are what their sources give\n'
      : 'policy.wasm, policy.lock.json or data.json is not what the sources give: run node server/policy/build.ts\n',
  )
  return isSame ? 0 : 1
}

if (import.meta.main) process.exit(run())
