/** `tappass backup create|list|verify|restore|prune|key`: runs the process of backups on each host, and makes recovery keys; see docs/how-to/backup.md. */
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import { EXIT_CODE, exitCodeOf } from '../../contract/exit-code.ts'
import { recoveryPair } from '../../contract/recovery-key.ts'
import { hostCommandHint, renderProcessHints } from '../command-line/command-hint.ts'
import { type ConfirmName, createNameConfirm } from '../command-line/confirmation.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { backupCommand, createBackupCommand, untilServing } from '../control/backup-process.ts'
import { processCommand } from '../control/process-target.ts'
import { lockFact } from '../converge/host-lock.ts'
import { lockHolderOf } from '../converge/host-run.ts'
import { assertUnlocked, withLock } from '../converge/lock-lease.ts'
import { Failure, renderNext, usageFailure } from '../core/failure.ts'
import type { Command, Output } from '../core/host.ts'
import { readTargets } from '../inventory/target.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { fetchStored, listStored } from '../server-process/backup-store.ts'
import { forEachHost, type HostResult, type HostSession, outcomeOf } from '../session/host-session.ts'

type Work = (invocation: Invocation, host: HostSession) => Promise<HostResult>

function bootstrapHint(invocation: Invocation): string {
  return renderNext(hostCommandHint(invocation, 'bootstrap'), invocation.program)
}

/** Shows what the process said. Returns how it ended. */
function show(invocation: Invocation, { code, stdout, stderr }: Output, { emit }: HostSession): HostResult {
  const lines = stdout.split('\n').filter((line) => line !== '')
  if (isGiven(invocation, 'json')) for (const line of lines) emit({ event: 'output', step: 1, line })
  else invocation.stdout.write(renderProcessHints(invocation, stdout))
  invocation.stderr.write(renderProcessHints(invocation, stderr))
  if (code === EXIT_CODE.locked)
    throw new Failure(
      {
        what: 'another backup or restoration is under way on this host',
        next: hostCommandHint(invocation, 'logs backup'),
      },
      EXIT_CODE.locked,
    )
  const outcome = code === 0 ? 'up-to-date' : outcomeOf(exitCodeOf(code))
  return { outcome, applied: 0, remaining: 0 }
}

/** Runs a command that changes the host, with its lock held. */
async function runLocked(invocation: Invocation, host: HostSession, command: Command): Promise<Output> {
  const holder = lockHolderOf(invocation, host)
  assertUnlocked(holder, await host.freshFacts()(lockFact))
  return await withLock(holder, () => host.run(command))
}

const create: Work = async (invocation, host) =>
  show(invocation, await runLocked(invocation, host, createBackupCommand(bootstrapHint(invocation))), host)

const list: Work = async (invocation, host) => {
  const isJson = isGiven(invocation, 'json')
  const args = ['list', ...(isJson ? ['--json'] : [])]
  const output = await readOnly(host.run)(backupCommand(args, 'read', bootstrapHint(invocation)))
  if (!isJson || output.code !== 0)
    return { ...show(invocation, output, host), ...(output.code === 0 ? { outcome: 'shown' } : {}) }
  host.emit({ event: 'backups', backups: JSON.parse(output.stdout) })
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

/** After a restoration: the gateway serves, and the ledger of its database holds. */
async function lookAfter(invocation: Invocation, host: HostSession): Promise<HostResult> {
  const { code } = await host.run(untilServing)
  if (code !== 0) {
    const next = hostCommandHint(invocation, 'status')
    throw new Failure({ what: 'the database was restored, but the gateway is not healthy', next })
  }
  return show(
    invocation,
    await host.run(processCommand('server/audit.ts', ['verify'], 'read', bootstrapHint(invocation))),
    host,
  )
}

function restoring(confirm: ConfirmName): Work {
  return async (invocation, host) => {
    const [named = ''] = invocation.operands
    const database = textOption(invocation, 'database')
    const words = ['restore', named, ...keyWords(invocation)]
    const hint = bootstrapHint(invocation)
    const checked = await host.run(backupCommand([...words, '--check'], 'read', hint))
    const result = show(invocation, checked, host)
    if (checked.code !== 0) return result
    const name = host.target.address?.name ?? hostname()
    const what = `${named} takes the place of the database; what was recorded since is in the earlier one only, which is kept`
    if (database === undefined && !(await confirm(host.target.name, name, what)))
      return { outcome: 'declined', applied: 0, remaining: 1 }
    const args = [...words, ...(database === undefined ? [] : ['--database', database])]
    const output = await runLocked(invocation, host, backupCommand(args, 'change', hint))
    const restored = show(invocation, output, host)
    return output.code !== 0 || database !== undefined ? restored : await lookAfter(invocation, host)
  }
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
