/**
 * What a decision costs: the policy in this process (taken anew each time, and from its cache), and in an OPA server over a UNIX socket. With no finding,
 * some, and many. Needs: opa. `node bench/policy-engines.ts [--calls N]`
 */
import { parseArgs } from 'node:util'
import { createOpaPolicy } from '../server/adapters/opa-server.ts'
import { createWasmPolicy } from '../server/adapters/opa-wasm.ts'
import { systemClock } from '../server/adapters/system.ts'
import { createFamilyRegistry } from '../server/core/finding-family.ts'
import type { PolicyEngine } from '../server/core/ports.ts'
import type { PolicyInput } from '../server/core/verdict.ts'
import { policyDocument, readModuleDigests, readPolicy } from '../server/policy/policy-document.ts'
import { readFamilies } from '../server/rules/rule-source.ts'
import { startOpa } from './opa-process.ts'
import { finding, requestWith } from './policy-row.ts'

const { values } = parseArgs({ options: { calls: { type: 'string', default: '500' } } })
const calls = Number(values.calls)
const document = policyDocument(createFamilyRegistry(readFamilies()))
const embedded = await createWasmPolicy(readPolicy(), document)
const opa = await startOpa()
const given = { url: opa.url, revision: embedded.revision, digests: readModuleDigests(), document }
const server = createOpaPolicy({ ...given, clock: systemClock, onFault: (fault) => process.stderr.write(`${fault}\n`) })

type Engine = Readonly<{ name: string; engine: PolicyEngine; isSame: boolean }>

const ENGINES: readonly Engine[] = [
  { name: 'embedded, from its cache', engine: embedded, isSame: true },
  { name: 'embedded', engine: embedded, isSame: false },
  { name: 'opa', engine: server, isSame: false },
]

/** Each number makes another input, which no cache knows. */
function inputOf(findings: number, number: number): PolicyInput {
  const kinds = ['pii.email', 'pii.iban', 'opaque.base64', 'secret.generic']
  const found = Array.from({ length: findings }, (_, index) => finding(kinds[index % kinds.length] ?? '', index / 1000))
  return { ...requestWith('detect_pii', found), model: `m${number}` }
}

async function measure({ engine, isSame }: Engine, findings: number): Promise<string> {
  const times: number[] = []
  for (let call = -20; call < calls; call++) {
    const input = inputOf(findings, isSame ? 0 : call)
    const start = performance.now()
    await engine.decide(input, 'dec_1')
    if (call >= 0) times.push(performance.now() - start)
  }
  times.sort((a, b) => a - b)
  const at = (share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(3)
  return `${at(0.5)}, ${at(0.99)}`
}

const sizes = [0, 5, 50]
process.stdout.write(
  `| engine | ${sizes.map((size) => `${size} findings`).join(' | ')} |\n|---|${'---|'.repeat(sizes.length)}\n`,
)
for (const one of ENGINES) {
  const cells: string[] = []
  for (const size of sizes) cells.push(await measure(one, size))
  process.stdout.write(`| ${one.name} | ${cells.join(' | ')} |\n`)
}
await server.close?.()
await opa.close()
