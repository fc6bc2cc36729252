/** Keeps two runs apart on one host: a lock that names its owner and shows whether it still lives. */
import { CHANGE_GUARD } from '../connection/batch.ts'
import { changeByScript } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'

/**
 * Who holds it. `token` is 32 hex digits that nobody else has; `controller` and `controllerBoot` name the machine (and its boot) where the
 * owner's process runs, `pid` and `pidStart` that process; `hostBoot` is the host's own boot.
 */
export type LockRecord = Readonly<{
  token: string
  owner: string
  verb: string
  controller: string
  controllerBoot: string
  pid: number
  pidStart: string
  hostBoot: string
  startedAt: string
}>

/** `ageSeconds`: since the owner last gave a sign of life, by the host's clock. `damaged` is a lock that can't be read. */
export type LockState = Readonly<{ hostBoot: string }> &
  (
    | Readonly<{ kind: 'free' }>
    | Readonly<{ kind: 'damaged' }>
    | Readonly<{ kind: 'held'; record: LockRecord; ageSeconds: number }>
  )

/** What becomes of a lock that was found. */
export type Judgement =
  | Readonly<{ verdict: 'take'; expected: string }>
  | Readonly<{ verdict: 'take-over'; expected: string; owner: string; because: string }>
  | Readonly<{ verdict: 'respect'; owner: string }>

/** On a tmpfs, so that a reboot frees it. */
const PATH = '/run/tappass-converge/lock'

/** A living owner gives a sign each `heartbeatMs`; six missed ones are a death (a minute, more than a connection lives without an answer). */
export const HEARTBEAT_MS = 10_000
const SILENCE_SECONDS_MAX = 60

/** The lock as it stands, and the host's boot. */
export const lockFact: Fact<LockState> = {
  ask: {
    argv: [
      'sh',
      '-c',
      `printf '%s %s %s\\n' "$(cat /proc/sys/kernel/random/boot_id)" "$(date +%s)" "$(stat -c %Y "$1" 2>/dev/null)"; cat "$1" 2>/dev/null`,
      'sh',
      PATH,
    ],
    effect: 'read',
  },
  parse: ({ stdout }) => {
    const [first = '', token = '', ...rest] = stdout.split('\n')
    const [hostBoot = '', now, touched] = first.split(' ')
    if (!touched) return { kind: 'free', hostBoot }
    try {
      const record = { ...JSON.parse(rest.join('\n')), token } as LockRecord
      return { kind: 'held', record, ageSeconds: Number(now) - Number(touched), hostBoot }
    } catch {
      return { kind: 'damaged', hostBoot }
    }
  },
}

function nameOf({ owner, controller, pid, verb, startedAt }: LockRecord): string {
  return `${owner} on ${controller} (process ${pid}, ${verb}, since ${startedAt})`
}

/**
 * Pure. `here` is this controller; `isOwnerRunning` says of a process on this very controller and boot whether it still runs, which
 * is surer and sooner than its silence.
 */
export function judgeLock(
  state: LockState,
  here: Readonly<{ controller: string; controllerBoot: string }>,
  isOwnerRunning: (record: LockRecord) => boolean,
): Judgement {
  if (state.kind === 'free') return { verdict: 'take', expected: '' }
  if (state.kind === 'damaged')
    return { verdict: 'take-over', expected: '*', owner: 'unknown', because: 'its record is damaged' }
  const { record, ageSeconds } = state
  const owner = nameOf(record)
  const over = (because: string): Judgement => ({ verdict: 'take-over', expected: record.token, owner, because })
  if (record.hostBoot !== state.hostBoot) return over('the host was started anew since')
  if (record.controller === here.controller) {
    if (record.controllerBoot !== here.controllerBoot) return over(`${record.controller} was started anew since`)
    return isOwnerRunning(record) ? { verdict: 'respect', owner } : over('its process has ended')
  }
  return ageSeconds > SILENCE_SECONDS_MAX
    ? over(`it gave no sign of life for ${ageSeconds} s`)
    : { verdict: 'respect', owner }
}

function compareAndDo(then: string): string {
  return `mkdir -p -m 0700 -- "\${1%/*}"; exec 9>"$1.guard"; flock -w 10 9
found=$(head -n 1 -- "$1" 2>/dev/null || :); [ "$found" = "$2" ] || [ "$2" = '*' ] || exit 75
${then}`
}

/**
 * Takes the lock if it still is what was judged (`expected`: a token, empty for a free one); exit code 75 if it is not. Then waits for what
 * a killed run may have left running.
 */
export function takeCommand(expected: string, record: LockRecord): Command {
  const { token, ...rest } = record
  const text = `${token}\n${JSON.stringify(rest)}\n`
  return changeByScript(
    compareAndDo(`cat >"$1.new"; mv -f -- "$1.new" "$1"; exec 9>&-; flock -w 900 ${CHANGE_GUARD} true`),
    [PATH, expected],
    text,
  )
}

/** A sign of life; exit code 75 when the lock is somebody else's by now. */
export function touchCommand(token: string): Command {
  return changeByScript(compareAndDo('touch -- "$1"'), [PATH, token])
}

/** Gives the lock back. */
export function releaseCommand(token: string): Command {
  return changeByScript(compareAndDo('rm -f -- "$1"'), [PATH, token])
}
