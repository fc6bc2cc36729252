/** How the containers of a project are: what the engine says of them, judged by what the file wants. */
import { renderTable } from '../output/text-table.ts'
import type { ComposeProject } from './compose-file.ts'

/** A container as the engine lists it. `addresses` are those of this machine at which it is published. */
export type Container = Readonly<{
  id: string
  service: string
  state: string
  health: string
  exitCode: number
  image: string
  addresses: readonly string[]
}>

/** `problem` is undefined where the service is as it is wanted. */
export type ServiceHealth = Readonly<{ service: string; state: string; image: string; problem?: string }>

/** `parts` is what the gateway depends on, by its own word; empty where it does not answer. */
export type ComposeHealth = Readonly<{
  isHealthy: boolean
  services: readonly ServiceHealth[]
  parts: Readonly<Record<string, string>>
}>

type Listed = Readonly<{
  ID?: string
  Service?: string
  State?: string
  Health?: string
  ExitCode?: number
  Image?: string
  Publishers?: readonly Readonly<{ URL?: string; PublishedPort?: number }>[] | null
}>

/** Reads `docker compose ps --format json`: an object in each line. */
export function parseContainers(text: string): readonly Container[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line) => {
    const { ID, Service, State, Health, ExitCode, Image, Publishers } = JSON.parse(line) as Listed
    const published = (Publishers ?? []).filter(({ PublishedPort }) => (PublishedPort ?? 0) > 0)
    return {
      ...{ id: ID ?? '', service: Service ?? '', state: State ?? '', health: Health ?? '' },
      ...{ exitCode: ExitCode ?? 0, image: Image ?? '' },
      addresses: [...new Set(published.map(({ URL, PublishedPort }) => `${URL}:${PublishedPort}`))],
    }
  })
}

/** Reads what the gateway says of itself; nothing where it says none. */
export function parseParts(text: string): Readonly<Record<string, string>> {
  try {
    const { checks } = JSON.parse(text) as { checks?: Readonly<Record<string, string>> }
    return checks ?? {}
  } catch {
    return {}
  }
}

function problemOf({ state, health, exitCode }: Container, isOnce: boolean): string | undefined {
  if (isOnce) {
    if (state === 'exited') return exitCode === 0 ? undefined : `it ended with ${exitCode}`
    return state === 'running' ? undefined : `it is ${state}`
  }
  if (state !== 'running') return state === 'exited' ? `it has ended, with ${exitCode}` : `it is ${state}`
  return health === '' || health === 'healthy' ? undefined : `it is ${health}`
}

/** Judges every service that the file wants, and those of profiles that are there. */
export function judgeContainers(
  { services }: Pick<ComposeProject, 'services'>,
  containers: readonly Container[],
  parts: ComposeHealth['parts'],
): ComposeHealth {
  const judged = services.flatMap(({ name, isOptional, isOnce }): readonly ServiceHealth[] => {
    const container = containers.find(({ service }) => service === name)
    if (container === undefined)
      return isOptional ? [] : [{ service: name, state: 'absent', image: '', problem: 'it has no container' }]
    const { state, health, image } = container
    const problem = problemOf(container, isOnce)
    const shown = { service: name, state: health === '' ? state : `${state}, ${health}`, image }
    return [problem === undefined ? shown : { ...shown, problem }]
  })
  const arePartsWell = Object.values(parts).every((status) => status === 'ok')
  return { isHealthy: arePartsWell && judged.every(({ problem }) => problem === undefined), services: judged, parts }
}

/** Returns the table, with a line end. */
export function renderContainers({ services, parts }: ComposeHealth): string {
  const rows = services.map(({ service, state, image, problem }) => [
    service,
    problem === undefined ? 'ok' : 'WRONG',
    state,
    image.replace(/@sha256:.*/, ''),
  ])
  const own = Object.entries(parts).map(([part, status]) => `${part} ${status}`)
  const gateway = own.length === 0 ? 'it does not answer' : own.join(', ')
  return `${renderTable([['service', '', 'state', 'image'], ...rows])}\n\nthe gateway says: ${gateway}\n`
}
