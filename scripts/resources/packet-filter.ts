/** Our table of nftables on a host without another firewall: what no setting lets in is dropped. Its changes are guarded. */
import { createHash } from 'node:crypto'
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { changeCommand, scriptCommand } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command, GetFact } from '../core/host.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { RELOAD_COMMAND, unitPath } from '../core/unit-command.ts'
import { type Firewalls, firewallsFact } from '../facts/firewall.ts'
import { contentFact, digestFact } from '../facts/path.ts'
import { type UnitState, unitFact } from '../facts/unit.ts'
import { planFile, ROOT_FILE } from '../files/file-change.ts'
import { REMOVAL_REASON } from '../files/removal.ts'
import { cutFailure, listed } from '../firewall/cut-port.ts'
import { exposedPortsFact } from '../firewall/exposed-port.ts'
import type { FilterOptions } from '../firewall/filter-options.ts'
import { openTcpPorts } from '../firewall/filter-rule.ts'
import { type LoadedFilter, loadedFilterFact } from '../firewall/loaded-filter.ts'
import { closesOutbound } from '../firewall/outbound.ts'

const UNIT_PATH = unitPath(UNIT.firewall)
const GUARD = {
  paths: [HOST_PATH.packetFilter, UNIT_PATH, unitPath(`sysinit.target.wants/${UNIT.firewall}`)],
  units: [UNIT.firewall],
}
const CHECK = (candidate: string) => ['/usr/sbin/nft', '-c', '-f', candidate] as const

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function loadReason({ state, digest }: LoadedFilter, content: string, unit: UnitState): string | undefined {
  if (state === 'absent') return 'no rules of ours are loaded'
  if (state === 'edited') return 'somebody changed the rules after they were loaded'
  if (digest !== sha256(content)) return 'older rules are loaded'
  return unit.active === 'active' ? undefined : `${UNIT.firewall} is ${unit.active}`
}

type State = Readonly<{ loaded: LoadedFilter; unit: UnitState; files: readonly (string | undefined)[] }>

async function stateOf(getFact: GetFact): Promise<State> {
  const [loaded, unit, ...files] = await Promise.all([
    getFact(loadedFilterFact),
    getFact(unitFact(UNIT.firewall)),
    getFact(digestFact(HOST_PATH.packetFilter)),
    getFact(digestFact(UNIT_PATH)),
  ])
  return { loaded, unit, files }
}

/** The ruleset that is desired, and what of the files differs. */
type DesiredFiles = Readonly<{ content: string; rules: readonly Change[]; unitFile: readonly Change[] }>

async function planFiles(getFact: GetFact, content: Promise<string>, unit: string): Promise<DesiredFiles> {
  const [rules, unitFile] = await Promise.all([
    planFile(getFact, { path: HOST_PATH.packetFilter, ...ROOT_FILE, check: CHECK }, content),
    planFile(getFact, { path: UNIT_PATH, ...ROOT_FILE }, unit),
  ])
  return { content: await content, rules, unitFile }
}

/** The file and the unit, and the rules that they load, in one change. */
function loadChange({ loaded, unit }: State, { content, rules, unitFile }: DesiredFiles): readonly Change[] {
  const reason = loadReason(loaded, content, unit)
  const isEnabled = unit.enabled === 'enabled'
  if (rules.length === 0 && unitFile.length === 0 && reason === undefined && isEnabled) return []
  const commands: Command[] = [
    ...[...rules, ...unitFile].flatMap((change) => change.commands),
    ...(unitFile.length > 0 || unit.isReloadNeeded ? [RELOAD_COMMAND] : []),
    ...(isEnabled ? [] : [changeCommand('systemctl', 'enable', UNIT.firewall)]),
    // Reloading an active unit exchanges the rules in one step.
    changeCommand('systemctl', 'reload-or-restart', UNIT.firewall),
  ]
  const diff = [...rules, ...unitFile].map((change) => change.diff ?? '').join('')
  const why = reason ?? [...rules, ...unitFile][0]?.reason ?? `${UNIT.firewall} is ${unit.enabled || 'new'}`
  return [
    {
      action: `load the packet filter ${HOST_PATH.packetFilter}`,
      reason: why,
      commands: commands as [Command, ...Command[]],
      guard: GUARD,
      ...(diff === '' ? {} : { diff }),
    },
  ]
}

const REMOVE_SCRIPT = `systemctl disable --now "$1" 2>/dev/null || true
PATH=$PATH:/usr/sbin; nft delete table inet tappass 2>/dev/null || true
rm -rf -- "\${4%/*}"; rm -f -- "$2" "$3"; systemctl daemon-reload; systemctl reset-failed "$1" 2>/dev/null || true`

function removal({ loaded, unit, files }: State, reason: string): readonly Change[] {
  const isThere = loaded.state !== 'absent' || files.some((digest) => digest !== undefined)
  if (!isThere && unit.active !== 'active' && unit.enabled !== 'enabled') return []
  const args = [UNIT.firewall, HOST_PATH.packetFilter, UNIT_PATH, HOST_PATH.loadedPacketFilter]
  return [{ action: 'remove the packet filter', reason, commands: [scriptCommand(REMOVE_SCRIPT, args)], guard: GUARD }]
}

const TOOLS = ['ufw', 'firewalld'] as const
const TURN_OFF = { ufw: 'ufw disable', firewalld: 'systemctl disable --now firewalld' } as const

function besideTool(
  tool: keyof Firewalls,
  state: State,
  { commandsFor, isOutboundClosed }: FilterOptions,
): readonly Change[] {
  if (isOutboundClosed) {
    throw refusedFailure(
      `${tool} is active, and firewall.outbound closes what goes out by a packet filter of our own`,
      'there is none beside another firewall, and its rules know addresses, not names that move',
      `leave firewall.outbound out of host.yaml and keep such rules in ${tool}; or turn it off: ${TURN_OFF[tool]}   (on the host)`,
    )
  }
  const commands = commandsFor(tool)
  if (commands.length === 0) return removal(state, `${tool} is active, and decides what is let in`)
  throw refusedFailure(
    `${tool} is active, and firewall.allow has rules that are kept there by hand`,
    'our own rule in it opens TCP ports to everybody; it has none of UDP or of some addresses only',
    `${listed(commands)}   (on the host); then leave them out of firewall.allow in host.yaml`,
  )
}

/** Everything is asked in one turn. Which ports would be closed counts only until there are rules of ours: later they are closed on purpose. */
async function planDesired(getFact: GetFact, options: FilterOptions): Promise<readonly Change[]> {
  const exposed = getFact(exposedPortsFact)
  const content = exposed.then(({ ssh }) => options.content(ssh))
  const [tools, state, { others }, desired] = await Promise.all([
    getFact(firewallsFact),
    stateOf(getFact),
    exposed,
    planFiles(getFact, content, options.unit),
  ])
  const tool = TOOLS.find((name) => tools[name] !== undefined)
  if (tool !== undefined) return besideTool(tool, state, options)
  const cut = others.filter((each) => !options.isAllowed(each))
  if (state.files[0] === undefined && cut.length > 0) throw cutFailure(cut)
  return loadChange(state, desired)
}

/**
 * The packet filter; with undefined (the setting is none), or where ufw or firewalld is active, its absence. Refuses (exit 5) to close a port
 * that is in use for the first time.
 */
export function packetFilter(options: FilterOptions | undefined): Resource {
  return {
    id: 'packet-filter:tappass',
    // Nothing is closed by it: it needs no guard, whose traces would have to go, too.
    absent: async (getFact) =>
      removal(await stateOf(getFact), REMOVAL_REASON).map(({ guard: _, ...change }): Change => change),
    plan: async (getFact) =>
      options === undefined
        ? removal(await stateOf(getFact), 'the setting firewall is none')
        : await planDesired(getFact, options),
  }
}

/**
 * The ports of the ingress are let in beside those that are open now: before the ingress moves to them. What is not to be open any more is closed by
 * `packetFilter`, once it has moved, and so is what goes out. Without rules of ours there is nothing to open.
 */
export function ingressOpening(options: FilterOptions): Resource {
  return {
    id: 'packet-filter:ingress',
    absent: leavesNothing('the packet filter goes as a whole'),
    plan: async (getFact) => {
      const [state, text, { ssh }] = await Promise.all([
        stateOf(getFact),
        getFact(contentFact(HOST_PATH.packetFilter)),
        getFact(exposedPortsFact),
      ])
      const open = openTcpPorts(text ?? '')
      if (text === undefined || options.ingress.every((port) => open.includes(port))) return []
      const content = Promise.resolve(options.content([...ssh, ...open], closesOutbound(text)))
      return loadChange(state, await planFiles(getFact, content, options.unit))
    },
  }
}
