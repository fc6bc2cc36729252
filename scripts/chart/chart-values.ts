/** Values of the chart: its own, with those of files over them, as Helm puts them together, judged by the chart's schema. */
import { Ajv, type ErrorObject } from 'ajv'

/** Values by their names. */
export type Values = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Puts `over` over `values`: objects member by member, all else whole; null takes a member away. */
export function mergeValues(values: Values, over: Values): Values {
  const merged: Record<string, unknown> = { ...values }
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name]
    if (value === null) delete merged[name]
    else merged[name] = isObject(value) && isObject(below) ? mergeValues(below, value) : value
  }
  return merged
}

/** What a demand of the schema that is hard to say in a pattern means. */
function sentenceOf({ instancePath, keyword, params, message, parentSchema }: ErrorObject): string {
  const path = instancePath.slice(1).replaceAll('/', '.')
  const under = (name: unknown): string => (path === '' ? String(name) : `${path}.${name}`)
  if (keyword === 'additionalProperties') return `${under(params['additionalProperty'])} is not a value of the chart`
  if (keyword === 'required') return `${under(params['missingProperty'])} is missing`
  if (keyword === 'minLength') return `${path} has to be given`
  if (keyword === 'enum') return `${path} is none of ${(params['allowedValues'] as string[]).join(', ')}`
  const hint = (parentSchema as { description?: string } | undefined)?.description
  return `${path} ${keyword === 'not' ? 'has a form that it must not have' : message}${hint ? `. ${hint}` : ''}`
}

/**
 * Creates what says what a schema has against values, a sentence each with the name of the value. It never holds the value itself: that may be a secret in the wrong
 * place.
 */
export function createJudge(schema: object): (values: Values) => readonly string[] {
  const validate = new Ajv({ allErrors: true, verbose: true, strict: false }).compile(schema)
  return (values) =>
    validate(values) ? [] : (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if').map(sentenceOf)
}
