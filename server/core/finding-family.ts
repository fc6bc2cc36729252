/**
 * Families of findings: what the first part of a kind (`pii` of `pii.email`) means to the policy, to the client and to
 * the documentation. The built-in ones are server/rules/families.yaml; a step file may bring one of its own.
 */
import * as v from 'valibot'
import type { Author } from './call.ts'

const NAME = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,31}$/))
const TEXT = v.pipe(v.string(), v.minLength(1), v.maxLength(200))
const CONFIDENCE = v.pipe(v.number(), v.minValue(0), v.maxValue(1))
const STAGE = v.picklist(['request', 'response'])

/** Severities, from the mildest. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const

/** Whose text a finding may be in. */
const AUTHORS = ['system', 'user', 'assistant', 'tool', 'schema', 'other'] as const satisfies readonly Author[]

/** Levels of classification, from the least sensitive. */
export const LEVELS = ['PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED'] as const

/** `refuse` the call, `redact` what was found, or only `note` it in the ledger. */
const ACTION = v.picklist(['refuse', 'redact', 'note'])

/** How findings are treated. `action` is taken from `confidenceMin` and `severityMin` on, both; `level` from its own on. */
const TREATMENT = {
  action: v.optional(ACTION),
  confidenceMin: v.optional(CONFIDENCE),
  severityMin: v.optional(v.picklist(SEVERITIES)),
  level: v.optional(v.strictObject({ name: v.picklist(LEVELS), confidenceMin: v.optional(CONFIDENCE) })),
}

/** Findings in texts of these authors, from `confidenceMin` on, taint the session. */
const TAINT = v.strictObject({ authors: v.array(v.picklist(AUTHORS)), confidenceMin: v.optional(CONFIDENCE) })

/** What a value of a flag does with the findings of a family. */
const FLAG_EFFECT = v.strictObject({ action: v.picklist(['refuse', 'redact']), confidenceMin: v.optional(CONFIDENCE) })

const FAMILY = v.strictObject({
  name: NAME,
  title: TEXT,
  about: TEXT,
  ...TREATMENT,
  action: ACTION,
  code: v.optional(v.picklist(['policy.blocked', 'request.invalid', 'rate.exceeded'])),
  isGate: v.optional(v.boolean()),
  isLabel: v.optional(v.boolean()),
  isClosed: v.optional(v.boolean()),
  kinds: v.optional(v.record(NAME, v.strictObject(TREATMENT))),
  taint: v.optional(TAINT),
  flag: v.optional(
    v.strictObject({ name: NAME, values: v.record(NAME, FLAG_EFFECT), loosening: v.optional(v.array(NAME)) }),
  ),
  required: v.optional(v.record(NAME, v.array(STAGE))),
  standards: v.optional(v.array(TEXT)),
  counter: v.optional(v.literal('pii_detections')),
})

/**
 * A family. `title` begins the text of a refusal (`PII detected: IBAN`), `about` is for the documentation, `code` the
 * error of a refusal (core/errors.ts has its status). `kinds` are treated differently from the rest; with `isClosed`
 * there are no others. `isGate`: a finding ends the call before the other steps run. `isLabel`: it says what a text
 * is, not that something is wrong, so lockdown does not refuse it. `required`: steps that must have reported, and
 * where. `taint`: what came from outside and may be an attack, or shows that one worked. `counter` counts the findings by kind in the metrics.
 */
export type FindingFamily = v.InferOutput<typeof FAMILY>

/**
 * What a caller may ask for in X-TapPass-Flags: values of each name that are enforced, weaker ones than the default, and
 * other words for values.
 */
export type FlagTable = ReadonlyMap<string, FlagValues>

type FlagValues = Readonly<{
  values: readonly string[]
  loosening: readonly string[]
  aliases?: ReadonlyMap<string, string>
}>

/** All families that a gateway knows, by name in their order, and the flags that are enforced. */
export type FamilyRegistry = Readonly<{ families: ReadonlyMap<string, FindingFamily>; flags: FlagTable }>

/** Names of reasons that the gateway and the policy give themselves: no finding has them. */
const RESERVED = ['step', 'policy']

/** Validates what a file says is a family. Throws with the path of what is wrong. */
export function parseFamily(value: unknown): FindingFamily {
  const result = v.safeParse(FAMILY, value)
  if (!result.success) throw new Error(`not a family of findings: ${v.summarize(result.issues).replaceAll('\n', ' ')}`)
  if (RESERVED.includes(result.output.name)) throw new Error(`a family can't be called ${result.output.name}`)
  return result.output
}

/**
 * Flags of no family. `mode` concerns all of them: `lockdown` refuses a finding of any that is not a label; examples of
 * TapPass's SDK call it `strict`. `tainted_tools` concerns tainted sessions: no answer may call a tool in one.
 */
const GENERAL_FLAGS: readonly (readonly [string, FlagValues])[] = [
  [
    'mode',
    { values: ['enforce', 'lockdown'], loosening: ['observe', 'warn'], aliases: new Map([['strict', 'lockdown']]) },
  ],
  ['tainted_tools', { values: ['block'], loosening: ['off', 'allow', 'flag'] }],
]

/** Creates the registry of validated families. Throws when two share a name or a flag. */
export function createFamilyRegistry(all: readonly FindingFamily[]): FamilyRegistry {
  const families = new Map<string, FindingFamily>()
  const flags = new Map<string, FlagValues>(GENERAL_FLAGS)
  for (const family of all) {
    if (families.has(family.name)) throw new Error(`there are two families of findings called ${family.name}`)
    families.set(family.name, family)
    if (family.flag === undefined) continue
    const { name, values, loosening = [] } = family.flag
    if (flags.has(name)) throw new Error(`there are two flags called ${name}`)
    flags.set(name, { values: Object.keys(values), loosening })
  }
  return { families, flags }
}

/** The family of a kind; undefined when there is none. */
export function familyOf({ families }: FamilyRegistry, kind: string): FindingFamily | undefined {
  return families.get(kind.slice(0, kind.indexOf('.')))
}
