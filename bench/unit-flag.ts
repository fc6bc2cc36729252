/** Flags with which the gateway's unit starts Node: what is measured runs with the same. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Takes them out of the unit's template. Throws when that starts the gateway in another way. */
export function unitFlags(): readonly string[] {
  const unit = readFileSync(join(import.meta.dirname, '../units/tappass@.service.hbs'), 'utf8')
  const flags = /^ExecStart=\S+ (.*) server\/main\.ts$/m.exec(unit)?.[1]
  if (flags === undefined) throw new Error('the unit starts the gateway in another way')
  return flags.split(' ')
}
