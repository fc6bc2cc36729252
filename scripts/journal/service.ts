/** The services of a host by the names that people type. They are those that have a unit in `units/`: there is no second list. */
import { UNIT } from '../../contract/unit.ts'
import { commandHint } from '../command-line/command-hint.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { nearest } from '../command-line/suggestion.ts'
import { usageFailure } from '../core/failure.ts'
import { GATEWAY_NAME, SERVICE_FILE } from './service-file.ts'

/** A service: its name, and the units (or patterns of units) whose lines are its own. `isOurs`: it belongs to tappass.target. */
export type Service = Readonly<{ name: string; units: readonly string[]; isOurs: boolean }>

/** The name of a service by its unit's file; undefined for what has no lines of its own (targets) and for other files. */
function serviceOf(file: string): Service | undefined {
  const [, unit = '', suffix = '', foreign] = SERVICE_FILE.exec(file) ?? []
  if (unit === '') return undefined
  const name = unit.replace(/^tappass-/, '').replace(/@$/, '')
  // The instances of a template, and the unit that stands in for one while it is restarted.
  const units = unit.endsWith('@') ? [`${unit}*.${suffix}`] : [`${unit}.${suffix}`, `${unit}-standby.${suffix}`]
  const isOurs = foreign === undefined
  if (suffix !== 'service') return { name, units: [`${unit}.${suffix}`], isOurs }
  return { name: name === 'tappass' ? GATEWAY_NAME : name, units: isOurs ? units : [`${unit}.${suffix}`], isOurs }
}

/** Returns the services that the files of `units/` make, by name. A socket, timer or path of a service's name belongs to it. */
export function servicesOf(files: readonly string[]): readonly Service[] {
  const found = files.flatMap((file) => serviceOf(file) ?? [])
  // tappass.socket is the gateway's.
  const named = found.map((service) => (service.name === 'tappass' ? { ...service, name: GATEWAY_NAME } : service))
  return [...Map.groupBy(named, ({ name }) => name)]
    .map(([name, group]) => ({
      name,
      units: group.flatMap(({ units }) => units),
      isOurs: group.some(({ isOurs }) => isOurs),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Returns the units of the service with that name; without one, those of all services of tappass.target. Throws a usage failure for another name. */
export function unitsOfService(invocation: Invocation, services: readonly Service[]): readonly string[] {
  const [name] = invocation.operands
  if (name === undefined) return [UNIT.target, ...services.flatMap(({ isOurs, units }) => (isOurs ? units : []))]
  const found = services.find((service) => service.name === name)
  if (found !== undefined) return found.units
  const names = services.map((service) => service.name)
  const suggestion = nearest(name, names)
  const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`
  throw usageFailure(
    `there is no service "${name}"${hint} (services: ${names.join(', ')})`,
    commandHint(invocation, `logs ${suggestion ?? GATEWAY_NAME}`),
  )
}
