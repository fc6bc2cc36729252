/** `tappass backup create|list|verify|restore|prune|key`: runs the process of backups on each host, and makes recovery keys; see docs/how-to/backup.md. */
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { recoveryPair } from '../../contract/recovery-key.ts'
import { bootstrapHint } from '../command-line/command-hint.ts'
import { type ConfirmName, createNameConfirm } from '../command-line/confirmation.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { backupCommand, createBackupCommand } from '../control/backup-process.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { markLines } from '../history/line-mark.ts'
import { readTargets } from '../inventory/target.ts'
import { createHandOver } from '../job/job-start.ts'
import { recipe } from '../recipe.ts'
import { lookAfter, operatorOf, runLocked, show } from '../recovery/backup-run.ts'
import { asNewHost, newHostWork } from '../recovery/new-host.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { fetchStored, listStored } from '../server-process/backup-store.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'
import { openSpecSession } from '../session/spec-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'

type Work = (invocation: Invocation, host: HostSession) => Promise<HostResult>

const create: Work = async (invocation, host) =>
  show(invocation, await runLocked(invocation, host, createBackupCommand(bootstrapHint(invocation))), host)

const list: Work = async (invocation, host) => {
  const isJson = isGiven(invocation, 'json')
  const args = ['list', ...(isJson ? ['--json'] : [])]
  const output = await readOnly(host.run)(backupCommand(args, 'read', bootstrapHint(invocation)))
  if (!isJson || output.code !== 0)
    return { ...show(invocation, output, host), ...(output.code === 0 ? { outcome: 'shown' } : {}) }
  host.emit({ event: 'backups', ...(JSON.parse(output.stdout) as Record<'backups' | 'bases' | 'earlier', unknown[]>) })
  return { outcome: 'shown', applied: 0, remaining: 0 }
}

function keyWords(invocation: Invocation): readonly string[] {
  const key = textOption(invocation, 'key')
  if (key === undefined) return []
  if (isAbsolute(key)) return ['--key', key]
  throw usageFailure('"--key" needs a whole path on the server (/…)', 'tappass backup --help')
}

const verify: Work = async (invocation, host) => {
  const args = ['verify', ...invocation.operands, ...keyWords(invocation)]
  return show(
    invocation,
    await runLocked(invocation, host, backupCommand(args, 'change', bootstrapHint(invocation))),
    host,
  )
}

const prune: Work = async (invocation, host) =>
  show(
    invocation,
    await runLocked(invocation, host, backupCommand(['prune'], 'change', bootstrapHint(invocation))),
    host,
  )

function restoring(confirm: ConfirmName): Work {
  return async (invocation, host) => {
    const time = timeOf(invocation)
    const [named = `the database as of ${time}`] = invocation.operands
    const database = textOption(invocation, 'database')
    const words = ['restore', ...(time === undefined ? [named] : ['--to', time]), ...keyWords(invocation)]
    const hint = bootstrapHint(invocation)
    const checked = await host.run(backupCommand([...words, '--check'], 'read', hint))
    const result = show(invocation, checked, host)
    if (checked.code !== 0) return result
    const name = host.target.address?.name ?? hostname()
    const what = `${named} takes the place of the database; what was recorded since is in the earlier one only, which is kept`
    if (database === undefined && !(await confirm(host.target.name, name, what)))
      return { outcome: 'declined', applied: 0, remaining: 1 }
    const args = [...words, '--by', operatorOf(), ...(database === undefined ? [] : ['--database', database])]
    const output = await runLocked(invocation, host, backupCommand(args, 'change', hint))
    const restored = show(invocation, output, host)
    return output.code !== 0 || database !== undefined ? restored : await lookAfter(invocation, host)
  }
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)$/

/** The moment of `--to`, in UTC, or `latest` for a bare host. Throws a usage failure for what is none, and for one without its zone. */
function timeOf(invocation: Invocation): string | undefined {
  const text = textOption(invocation, 'to')
  if (text === undefined) return undefined
  const example = 'tappass backup restore --to 2026-11-27T14:00:00Z'
  if (invocation.operands.length > 0) throw usageFailure('"--to" takes the place of the name of a set', example)
  if (text === 'latest' && isGiven(invocation, 'onto')) return text
  const time = new Date(text)
  if (!TIME.test(text) || Number.isNaN(time.getTime()))
    throw usageFailure(`"--to" needs a time with its zone, not "${text}"`, example)
  return time.toISOString()
}

/** The number of the newest migration of a release's folder. */
function newestMigration(root: string): number {
  return Math.max(...readdirSync(join(root, 'migrations')).map((name) => Number.parseInt(name, 10) || 0))
}

/** Makes a bare host the one that was lost. */
async function restoreOnto(given: Invocation): Promise<number> {
  const to = timeOf(given)
  const invocation = asNewHost(given)
  const { targets, text } = await openSpecSession(invocation)
  const handOver = createHandOver(invocation)
  const resourcesOf = (spec: HostSpec) => recipe(spec, text).flatMap(({ resources }) => resources)
  const work = await newHostWork(invocation, {
    schema: newestMigration(invocation.root),
    to,
    resourcesOf,
    contextOf: (host, spec) => ({
      ...{ confirm: host.confirm, waiting: text('scripts/first-boot.sh'), handOver },
      history: { spec, marked: () => recipe(spec, markLines(text)).flatMap(({ resources }) => resources) },
    }),
  })
  return await forEachHost(invocation, connectors, targets, { work })
}

/** Makes a pair: the private half into a new file that only its owner may read, the public one on stdout. */
function createKey(invocation: Invocation): number {
  const [what = ''] = invocation.operands
  if (what !== 'create')
    throw usageFailure(`"backup key" takes "create", not "${what}"`, 'tappass backup key create --out FILE')
  const out = textOption(invocation, 'out')
  if (out === undefined) throw usageFailure('"backup key create" needs "--out"', 'tappass backup key create --out FILE')
  const path = resolve(invocation.workingFolder, out)
  const { recipient, identity } = recoveryPair(generateKeyPairSync('x25519').privateKey)
  try {
    const made = new Date(invocation.nowMs()).toISOString()
    writeFileSync(path, `# created: ${made}\n# public key: ${recipient}\n${identity}\n`, {
      flag: 'wx',
      mode: 0o600,
      flush: true,
    })
  } catch (error) {
    const why = existsSync(path) ? 'there is something already' : (error as Error).message
    throw new Failure(
      { what: 'cannot write the recovery key', where: path, why, next: 'name another file with --out' },
      EXIT_CODE.refused,
    )
  }
  invocation.stdout.write(`${recipient}\n`)
  const advice = `backup.recoveryKey in host.yaml: the line above. ${out} opens the secrets of all backups: keep it in two safe places, and on no server`
  invocation.stderr.write(`${advice}\n`)
  return EXIT_CODE.upToDate
}

const DATABASE_NAME = /^tappass_[a-z0-9_]{1,40}$/
const TAKEN_NAMES = ['tappass_proof', 'tappass_restored']

function validateDatabase(invocation: Invocation): void {
  const name = textOption(invocation, 'database')
  if (name === undefined || (DATABASE_NAME.test(name) && !TAKEN_NAMES.includes(name))) return
  throw usageFailure(
    `"${name}" can't be the name of a restored database`,
    `tappass backup restore ${invocation.operands[0]} --database tappass_look`,
  )
}

/** Returns 0 done, 1 failed, 2 not confirmed, 4 locked, 5 refused, 6 unreachable; of several hosts, the worst. */
export async function run(invocation: Invocation): Promise<number> {
  if (invocation.action === 'key') return createKey(invocation)
  if (invocation.action === 'fetch') return await fetchStored(invocation)
  if (isGiven(invocation, 'store')) return await listStored(invocation)
  if (isGiven(invocation, 'onto')) return await restoreOnto(invocation)
  const hasSource = timeOf(invocation) !== undefined || invocation.operands[0] !== undefined
  if (invocation.action === 'restore' && !hasSource)
    throw usageFailure('"backup restore" needs a SET, or "--to TIME"', 'tappass backup list')
  validateDatabase(invocation)
  const restore = restoring(createNameConfirm(invocation))
  const works: Readonly<Record<string, Work>> = { create, list, verify, restore, prune }
  const work = works[invocation.action ?? '']
  if (work === undefined) throw new Error(`backup ${invocation.action} is in the command table but not implemented`)
  keyWords(invocation)
  return await forEachHost(invocation, connectors, await readTargets(invocation), {
    work: (host) => work(invocation, host),
  })
}
