/** `status`, `doctor` and `logs` with `--compose FILE`: containers of this machine instead of hosts. They change nothing. */
import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import { EXIT_CODE, exitCodeOf } from '../../contract/exit-code.ts'
import { GATEWAY_HOST, GATEWAY_PORT } from '../../contract/gateway.ts'
import { commandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { nearest } from '../command-line/suggestion.ts'
import { usageFailure } from '../core/failure.ts'
import { printable } from '../core/printable.ts'
import { countFindings, renderFindings } from '../diagnosis/finding-text.ts'
import { readJournalRequest } from '../journal/journal-query.ts'
import { GENERATED_NAMES } from '../secrets/secret-generation.ts'
import { type ComposeProject, readCompose } from './compose-file.ts'
import { findingsOf, type SeenContainers } from './container-finding.ts'
import {
  type ComposeHealth,
  type Container,
  judgeContainers,
  parseContainers,
  parseParts,
  renderContainers,
} from './container-health.ts'
import { answerOf, type Engine, openEngine } from './engine.ts'

const READY = `fetch('http://${GATEWAY_HOST}:${GATEWAY_PORT}/health/ready').then(async (r) => console.log(await r.text()))`
const OTHERS = 0o077

async function see(
  engine: Engine,
  project: ComposeProject,
): Promise<Readonly<{ health: ComposeHealth; containers: readonly Container[] }>> {
  const listed = await answerOf(engine, ['compose', '--project-name', project.name, 'ps', '--all', '--format', 'json'])
  const containers = parseContainers(listed)
  const gateway = containers.find(({ service, state }) => service === 'gateway' && state === 'running')
  const readiness =
    gateway === undefined ? undefined : await engine(['exec', gateway.id, '/nodejs/bin/node', '-e', READY])
  return { containers, health: judgeContainers(project, containers, parseParts(readiness?.stdout ?? '')) }
}

/** Prints a table, with `--json` one object. Returns 0 when everything is as it is wanted, otherwise 1. */
export async function composeStatus(invocation: Invocation): Promise<number> {
  const { health } = await see(openEngine(invocation), readCompose(invocation))
  invocation.stdout.write(
    isGiven(invocation, 'json') ? `${JSON.stringify({ event: 'containers', ...health })}\n` : renderContainers(health),
  )
  if (health.isHealthy) return EXIT_CODE.upToDate
  invocation.stderr.write(`  next:  ${invocation.program} doctor --compose ${textOption(invocation, 'compose')}\n`)
  return EXIT_CODE.failed
}

/** Names, never values. */
function seeEnvironment({ path }: ComposeProject): SeenContainers['environment'] {
  const file = join(dirname(path), '.env.prod')
  try {
    const values = parseEnv(readFileSync(file, 'utf8'))
    const missing = GENERATED_NAMES.filter((name) => (values[name] ?? '') === '')
    return { path: file, missing, isOpen: (statSync(file).mode & OTHERS) !== 0 }
  } catch {
    return undefined
  }
}

async function seeDisk(engine: Engine, containers: readonly Container[]): Promise<number | undefined> {
  const postgres = containers.find(({ service, state }) => service === 'postgres' && state === 'running')
  if (postgres === undefined) return undefined
  const { stdout } = await engine(['exec', postgres.id, 'df', '-Pk', '/var/lib/postgresql/data'])
  const percent = /\s(\d+)%\s/.exec(stdout)?.[1]
  return percent === undefined ? undefined : Number(percent)
}

/** Prints what is wrong and what to do. Returns 0 when nothing is wrong (there may be something to look at), otherwise 1. */
export async function composeDoctor(invocation: Invocation): Promise<number> {
  const [engine, project] = [openEngine(invocation), readCompose(invocation)]
  const seen = await see(engine, project)
  const findings = findingsOf({
    ...seen,
    file: textOption(invocation, 'compose') ?? '',
    environment: seeEnvironment(project),
    diskPercent: await seeDisk(engine, seen.containers),
  })
  invocation.stdout.write(
    isGiven(invocation, 'json')
      ? `${JSON.stringify({ event: 'checks', counts: countFindings(findings), checks: findings })}\n`
      : renderFindings(findings, invocation.program, isGiven(invocation, 'all')),
  )
  return findings.some(({ status }) => status === 'fail') ? EXIT_CODE.failed : EXIT_CODE.upToDate
}

/** Shows what the containers of a service, or of all, have written. Returns 0, 1 where Docker fails, 64 for no such service. */
export async function composeLogs(invocation: Invocation): Promise<number> {
  const project = readCompose(invocation)
  const [service] = invocation.operands
  const names = project.services.map(({ name }) => name)
  if (service !== undefined && !names.includes(service)) {
    const suggestion = nearest(service, names)
    const hint = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`
    throw usageFailure(
      `there is no service "${printable(service)}"${hint} (services: ${names.join(', ')})`,
      commandHint(invocation, `logs ${suggestion ?? 'gateway'}`),
    )
  }
  const { isFollowing, since, lines } = readJournalRequest(invocation)
  const words = [
    ...['compose', '--project-name', project.name, 'logs', '--no-color', '--timestamps'],
    ...(isFollowing ? ['--follow'] : []),
    // Docker takes an age without its sign, and seconds since 1970 without theirs.
    ...(since === undefined ? [] : ['--since', since.slice(1)]),
    ...['--tail', `${lines ?? 'all'}`, ...(service === undefined ? [] : [service])],
  ]
  return exitCodeOf((await openEngine(invocation)(words, true)).code)
}
