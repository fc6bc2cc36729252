/** Renders Handlebars templates: a missing value is an error, nothing is escaped. */
import { createRequire } from 'node:module'
import type handlebars from 'handlebars'

// In one file: the package's own entry loads 44, among them what reads source maps.
const Handlebars: typeof handlebars = createRequire(import.meta.url)('handlebars/dist/handlebars.js')

/** Creates an engine with no helpers but those of Handlebars, for templates of another kind than `render` takes. */
export function createTemplateEngine(): typeof handlebars {
  return Handlebars.create()
}

const engine = createTemplateEngine()

/** A run on many hosts renders the same templates for each. */
const compiled = new Map<string, ReturnType<typeof handlebars.compile>>()

/** Renders a template with its values (never secrets). Throws for a value that the template uses and `values` lacks. */
export function render(template: string, values: Readonly<Record<string, unknown>>): string {
  const fill = compiled.get(template) ?? engine.compile(template, { noEscape: true, strict: true })
  compiled.set(template, fill)
  return fill(values)
}
