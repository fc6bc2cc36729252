/** The lock of a host: one run at a time. It names its owner and carries a heartbeat. */
import { HOST_PATH } from '../../contract/path.ts'
import { CHANGE_LOCK_PATH } from '../connection/batch.ts'
import { scriptCommand, within } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'
import type { ProcessState } from '../core/process-identity.ts'

/**
 * The content of the lock file. `token` is 32 random hex digits; `controller` is the name of the machine where the owner's process runs, for
 * people; `processSpace` is where `pid` and `pidStart` mean that process (undefined: not known); `hostBoot` is the boot id of the host itself.
 */
export type LockFile = Readonly<{
  token: string
  owner: string
  verb: string
  controller: string
  processSpace?: string
  pid: number
  pidStart: string
  hostBoot: string
  startedAt: string
  /** The unit of the host that the owner's process is, if it is one: such an owner is seen from everywhere. */
  unit?: string
}>

/** `ageSeconds` is the time since the last heartbeat, by the host's clock. `damaged`: the lock file cannot be parsed. */
export type LockState = Readonly<{ hostBoot: string; isUnitActive?: boolean }> &
  (
    | Readonly<{ kind: 'free' }>
    | Readonly<{ kind: 'damaged' }>
    | Readonly<{ kind: 'held'; lockFile: LockFile; ageSeconds: number }>
  )

/** What to do about the lock: acquire it, take it over from a dead owner, or fail because the owner is alive. */
export type LockDecision =
  | Readonly<{ decision: 'acquire'; expected: string }>
  | Readonly<{ decision: 'take-over'; expected: string; owner: string; reason: string }>
  | Readonly<{ decision: 'locked'; owner: string }>

/** The transient unit that a run goes on as. */
export const RUN_UNIT = 'tappass-run.service'

/** On a tmpfs, so that a reboot frees it. */
const PATH = `${HOST_PATH.convergeFolder}/lock`

/** The owner sends a heartbeat at this interval; after six missed ones the lock may be taken over (a minute, longer than an SSH connection survives without response). */
export const HEARTBEAT_MS = 10_000
const HEARTBEAT_TIMEOUT_SECONDS = 60

/** The state of the lock, and the boot id of the host. */
export const lockFact: Fact<LockState> = {
  query: {
    argv: [
      'sh',
      '-c',
      `active=-; case "$(cat "$1" 2>/dev/null)" in *"\\"unit\\":\\"$2\\""*) active=$(systemctl is-active "$2") ;; esac
printf '%s %s %s %s\\n' "$(cat /proc/sys/kernel/random/boot_id)" "$(date +%s)" "$active" "$(stat -c %Y "$1" 2>/dev/null)"; cat "$1" 2>/dev/null`,
      'sh',
      PATH,
      RUN_UNIT,
    ],
    effect: 'read',
  },
  parse: ({ stdout }) => {
    const [first = '', token = '', ...rest] = stdout.split('\n')
    const [hostBoot = '', now, active = '', touched] = first.split(' ')
    if (!touched) return { kind: 'free', hostBoot }
    try {
      const lockFile = { ...JSON.parse(rest.join('\n')), token } as LockFile
      const state = lockFile.unit === undefined ? {} : { isUnitActive: /^(de)?activ/.test(active) }
      return { kind: 'held', lockFile, ageSeconds: Number(now) - Number(touched), hostBoot, ...state }
    } catch {
      return { kind: 'damaged', hostBoot }
    }
  },
}

function describeOwner({ owner, controller, pid, verb, startedAt }: LockFile): string {
  return `${owner} on ${controller} (process ${pid}, ${verb}, since ${startedAt})`
}

/** Where this run looks from, and what it knows of an owner's process that has its number there. */
export type LockObserver = Readonly<{
  processSpace?: string
  stateOfOwner: (lockFile: LockFile) => ProcessState
}>

/** What is known of the owner's process; nothing from elsewhere: its number means another process there, or none. */
function ownerState(lockFile: LockFile, { processSpace, stateOfOwner }: LockObserver): ProcessState {
  return processSpace !== undefined && processSpace === lockFile.processSpace ? stateOfOwner(lockFile) : 'unknown'
}

/**
 * Decides about the lock. Pure. An owner whose process can be seen from here is known to live or to have ended at once; any other one lives
 * as long as its heartbeats come.
 */
export function decideLock(state: LockState, observer: LockObserver): LockDecision {
  if (state.kind === 'free') return { decision: 'acquire', expected: '' }
  if (state.kind === 'damaged')
    return { decision: 'take-over', expected: '*', owner: 'unknown', reason: 'its lock file is damaged' }
  const { lockFile, ageSeconds } = state
  const owner = describeOwner(lockFile)
  const takeOver = (reason: string): LockDecision => ({
    decision: 'take-over',
    expected: lockFile.token,
    owner,
    reason,
  })
  if (lockFile.hostBoot !== state.hostBoot) return takeOver('the host was rebooted since')
  if (state.isUnitActive === false) return takeOver('its unit has ended')
  const ownState = ownerState(lockFile, observer)
  if (ownState === 'ended') return takeOver('its process has ended')
  return ownState === 'unknown' && ageSeconds > HEARTBEAT_TIMEOUT_SECONDS
    ? takeOver(`no heartbeat for ${ageSeconds} s`)
    : { decision: 'locked', owner }
}

/** Acquiring waits for what a killed run left running; a heartbeat waits for another one at most. */
const [ACQUIRE_MINUTES, TOUCH_MINUTES] = [17, 0.5]

/** Where the folder is not there any more, as after an uninstall, there is no lock. */
function compareAndRun(script: string): string {
  return `[ -d "\${1%/*}" ] || exit 75; exec 9>"$1.guard"; flock -w 10 9
found=$(head -n 1 -- "$1" 2>/dev/null || :); [ "$found" = "$2" ] || [ "$2" = '*' ] || exit 75
${script}`
}

/**
 * Acquires the lock if it has not changed since the decision (`expected`: a token, empty for a free lock); exit code 75 if it has. Then waits
 * for commands that a killed run may have left running, and runs `next` (its standard input is text): without that
 * there is no run, and the lock is free again.
 */
export function acquireLockCommand(expected: string, lockFile: LockFile, next?: Command): Command {
  const { token, ...rest } = lockFile
  const text = `${token}\n${JSON.stringify(rest)}\n`
  return within(
    ACQUIRE_MINUTES,
    scriptCommand(
      `mkdir -p -m 0700 -- "\${1%/*}"
${compareAndRun(
  `IFS= read -r token; IFS= read -r owner; printf '%s\\n%s\\n' "$token" "$owner" >"$1.new"
mv -f -- "$1.new" "$1"; exec 9>&-; flock -w 900 ${CHANGE_LOCK_PATH} true
lock=$1; shift 2; [ $# = 0 ] || "$@" || { code=$?; rm -- "$lock"; exit "$code"; }`,
)}`,
      [PATH, expected, ...(next?.argv ?? [])],
      `${text}${typeof next?.stdin === 'string' ? next.stdin : ''}`,
    ),
  )
}

/** Sends a heartbeat; exit code 75 when another run owns the lock by now. */
export function heartbeatCommand(token: string): Command {
  return within(TOUCH_MINUTES, scriptCommand(compareAndRun('touch -- "$1"'), [PATH, token]))
}

/** Runs a command (its standard input is text) while the lock is still that of this run; exit code 75 when it is not. */
export function whileLockedCommand(token: string, { argv, stdin }: Command): Command {
  return scriptCommand(compareAndRun('shift 2; "$@" 9>&-'), [PATH, token, ...argv], stdin)
}

/** Releases the lock. What was sent to the host for this run and not used up is not needed any more. */
export function releaseLockCommand(token: string): Command {
  const script = compareAndRun('rm -rf -- "$3"; rm -f -- "$1"')
  return within(TOUCH_MINUTES, scriptCommand(script, [PATH, token, HOST_PATH.sentFilesFolder]))
}
