/** Fills values into a template. The one place where Handlebars is set up: a missing value is an error, nothing is escaped. */
import Handlebars from 'handlebars'

const engine = Handlebars.create()

/** Takes a Handlebars text and its values (never a secret), gives the text. Throws for a value that the template names and `values` lacks. */
export function render(template: string, values: Readonly<Record<string, unknown>>): string {
  return engine.compile(template, { noEscape: true, strict: true })(values)
}
