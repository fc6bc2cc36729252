/** Renders Handlebars templates: a missing value is an error, nothing is escaped. */
import Handlebars from 'handlebars'

const engine = Handlebars.create()

/** Renders a template with its values (never secrets). Throws for a value that the template uses and `values` lacks. */
export function render(template: string, values: Readonly<Record<string, unknown>>): string {
  return engine.compile(template, { noEscape: true, strict: true })(values)
}
