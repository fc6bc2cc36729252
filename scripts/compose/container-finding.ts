/** What is wrong with containers, why, and what to type: from what was seen of them. */
import { type Finding, fail, ok, skip, type Verdict, warn } from '../diagnosis/check.ts'
import type { ComposeHealth, Container } from './container-health.ts'

/** What was seen. `environment` is undefined where that file is not there, `diskPercent` where nobody could be asked. */
export type SeenContainers = Readonly<{
  file: string
  health: ComposeHealth
  containers: readonly Container[]
  environment: Readonly<{ path: string; missing: readonly string[]; isOpen: boolean }> | undefined
  diskPercent: number | undefined
}>

const DISK_PERCENT_MAX = 90
const UP = 'docker compose --env-file .env.prod up --detach --wait'
const LOOPBACK = /^(127\.|\[?::1\]?:)/

function judgeEnvironment({ environment }: SeenContainers): Verdict {
  if (environment === undefined) return skip('there is no .env.prod beside the Compose file')
  const { path, missing, isOpen } = environment
  const make = `tappass secrets make --env ${path}`
  if (missing.length > 0) return fail(`${path} has no value of ${missing.join(', ')}`, make)
  return isOpen ? warn(`${path} can be read by others than its owner`, make) : ok()
}

function judgeDisk({ diskPercent }: SeenContainers): Verdict {
  if (diskPercent === undefined) return skip('PostgreSQL’s container does not run')
  if (diskPercent <= DISK_PERCENT_MAX) return ok(`${diskPercent} % used`)
  return fail(`the disk with the database is ${diskPercent} % full`, 'docker system df; docker image prune')
}

function judgePublished({ containers }: SeenContainers): Verdict {
  const addresses = containers.find(({ service }) => service === 'gateway')?.addresses ?? []
  const open = addresses.filter((address) => !LOOPBACK.test(address))
  if (open.length === 0) return ok()
  return warn(
    `the gateway is reached at ${open.join(', ')} without TLS`,
    `in .env.prod: COMPOSE_PROFILES=caddy and COMPOSE_FILE=compose.yaml:compose.ingress.yaml; then ${UP}`,
  )
}

/** Judges all of it. */
export function findingsOf(seen: SeenContainers): readonly Finding[] {
  const { file, health } = seen
  const parts = Object.entries(health.parts)
  return [
    ...health.services.map(({ service, state, problem }): Finding => {
      const next = state === 'absent' ? UP : `tappass logs --compose ${file} ${service}`
      const verdict = problem === undefined ? ok(state) : fail(`${service}: ${problem}`, next)
      return { id: `service.${service}`, what: `${service} runs as it is wanted`, ...verdict }
    }),
    ...parts.map(([part, status]): Finding => {
      const verdict =
        status === 'ok'
          ? ok()
          : fail(`the gateway says that its ${part} has ${status}`, `tappass logs --compose ${file} gateway`)
      return { id: `gateway.${part}`, what: `the gateway reaches its ${part}`, ...verdict }
    }),
    { id: 'secrets', what: 'the environment file has every secret, for its owner alone', ...judgeEnvironment(seen) },
    { id: 'disk', what: 'the disk with the database has room', ...judgeDisk(seen) },
    { id: 'published', what: 'nobody else reaches the gateway without TLS', ...judgePublished(seen) },
  ]
}
