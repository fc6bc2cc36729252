/**
 * Compiles the policy to WebAssembly and writes its lock file and the base document for an OPA server; `--check`
 * compiles and compares instead, byte for byte. A process of its own: `node server/policy/build.ts [--opa PATH]
 * [--check] [--data]`. Users never need it, nor a compiler; `--data` writes the document alone, without one.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createFamilyRegistry } from '../core/finding-family.ts'
import { sha256 } from '../core/hash.ts'
import { readFamilies } from '../rules/rule-source.ts'
import { policyDocument } from './policy-document.ts'

/** The entrypoint for the compiler: the rule `decision` of package tappass.verdict. */
export const ENTRYPOINT = 'tappass/verdict/decision'

/** What policy.lock.json holds: the compiler's version, and SHA-256 in hex of each source and of the result. */
export type PolicyLock = Readonly<{
  opa: string
  entrypoint: string
  sources: Readonly<Record<string, string>>
  wasm: string
}>

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
export function compilePolicy(folder: string, opa: string): Readonly<{ wasm: Uint8Array; lock: PolicyLock }> {
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
  if (!values.check) writeFileSync(join(folder, 'data.json'), documentText())
  if (values.data) return 0
  const { wasm, lock } = compilePolicy(folder, values.opa)
  const lockText = `${JSON.stringify(lock, null, 2)}\n`
  if (!values.check) {
    writeFileSync(join(folder, 'policy.wasm'), wasm)
    writeFileSync(join(folder, 'policy.lock.json'), lockText)
    return 0
  }
  const isSame =
    readFileSync(join(folder, 'policy.wasm')).equals(wasm) &&
    readFileSync(join(folder, 'policy.lock.json'), 'utf8') === lockText &&
    readFileSync(join(folder, 'data.json'), 'utf8') === documentText()
  process.stderr.write(
    isSame
      ? 'policy.wasm and data.json are what their sources give\n'
      : 'policy.wasm, policy.lock.json or data.json is not what the sources give: run node server/policy/build.ts\n',
  )
  return isSame ? 0 : 1
}

if (import.meta.main) process.exit(run())
