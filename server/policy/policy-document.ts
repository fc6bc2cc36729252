/** The compiled policy and its base document: what Rego sees as `data.tappass`, made from the registry of families. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FamilyRegistry, type FindingFamily, LEVELS, SEVERITIES } from '../core/finding-family.ts'

/** Reads the compiled policy. */
export function readPolicy(): Uint8Array {
  return readFileSync(join(import.meta.dirname, 'policy.wasm'))
}

/** Reads the digests of the modules that an OPA server with this policy holds. */
export function readModuleDigests(): readonly string[] {
  type Lock = Readonly<Record<'sources' | 'served', Readonly<Record<string, string>>>>
  const { sources, served } = JSON.parse(readFileSync(join(import.meta.dirname, 'policy.lock.json'), 'utf8')) as Lock
  return Object.entries({ ...sources, ...served }).flatMap(([name, digest]) => (name.endsWith('.rego') ? [digest] : []))
}

/** How Rego judges a finding: every member is there, so that no rule of the policy has to know a default. */
type Treatment = Readonly<{
  action: string
  confidence_min: number
  severities: readonly string[]
  level: number
  level_confidence_min: number
}>

type FlagEffects = Readonly<
  Record<string, Readonly<Record<string, Readonly<{ action: string; confidence_min: number }>>>>
>

/** The document, under the package name that the policy's modules share. */
export type PolicyDocument = Readonly<{
  tappass: Readonly<{
    levels: readonly string[]
    families: Readonly<
      Record<
        string,
        Readonly<{
          is_gate: boolean
          is_closed: boolean
          treatment: Treatment
          kinds: Readonly<Record<string, Treatment>>
          taint: Readonly<{ authors: readonly string[]; confidence_min: number }>
          flags: FlagEffects
        }>
      >
    >
    required: Readonly<Record<string, readonly string[]>>
    flags: Readonly<Record<string, readonly string[]>>
    tainted_tools: readonly string[]
  }>
}>

/**
 * Makes the document of a registry. Members come in a fixed order, so that equal registries have equal texts. `taintedTools`
 * are names (`*` stands for any characters) of tools that no answer may call in a tainted session.
 */
export function policyDocument(
  { families, flags }: FamilyRegistry,
  taintedTools: readonly string[] = [],
): PolicyDocument {
  const all = [...families.values()]
  return {
    tappass: {
      levels: LEVELS,
      families: Object.fromEntries(
        all.map((family) => [
          family.name,
          {
            is_gate: family.isGate === true,
            is_closed: family.isClosed === true,
            treatment: treatmentOf(family),
            kinds: Object.fromEntries(
              Object.entries(family.kinds ?? {}).map(([kind, own]) => [
                `${family.name}.${kind}`,
                treatmentOf({ ...family, ...own, action: own.action ?? family.action }),
              ]),
            ),
            taint: { authors: family.taint?.authors ?? [], confidence_min: family.taint?.confidenceMin ?? 0 },
            flags: flagEffects(family),
          },
        ]),
      ),
      required: { request: stepsRequired(all, 'request'), response: stepsRequired(all, 'response') },
      flags: Object.fromEntries([...flags].map(([name, { values }]) => [name, values])),
      tainted_tools: taintedTools,
    },
  }
}

function treatmentOf(one: Pick<FindingFamily, 'action' | 'confidenceMin' | 'severityMin' | 'level'>): Treatment {
  return {
    action: one.action,
    confidence_min: one.confidenceMin ?? 0,
    severities: SEVERITIES.slice(SEVERITIES.indexOf(one.severityMin ?? 'info')),
    level: LEVELS.indexOf(one.level?.name ?? 'PUBLIC'),
    level_confidence_min: one.level?.confidenceMin ?? 0,
  }
}

/** What each value of a flag does with the family's findings. */
function flagEffects({ flag, isLabel }: FindingFamily): FlagEffects {
  const own = Object.entries(flag?.values ?? {}).map(
    ([value, { action, confidenceMin }]) => [value, { action, confidence_min: confidenceMin ?? 0 }] as const,
  )
  return {
    ...(isLabel === true ? {} : { mode: { lockdown: { action: 'refuse', confidence_min: 0 } } }),
    ...(flag === undefined ? {} : { [flag.name]: Object.fromEntries(own) }),
  }
}

/** Steps that must have reported at a stage. */
function stepsRequired(families: readonly FindingFamily[], stage: 'request' | 'response'): readonly string[] {
  return families.flatMap(({ required = {} }) =>
    Object.entries(required).flatMap(([step, stages]) => (stages.includes(stage) ? [step] : [])),
  )
}
