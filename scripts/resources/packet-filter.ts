/** Our table of nftables on a host without another firewall: what no setting lets in is dropped. Its changes are guarded. */
import { createHash } from 'node:crypto'
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { changeCommand, scriptCommand } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command, GetFact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { RELOAD_COMMAND, unitPath } from '../core/unit-command.ts'
import { firewallsFact } from '../facts/firewall.ts'
import { digestFact } from '../facts/path.ts'
import { type UnitState, unitFact } from '../facts/unit.ts'
import { planFile, ROOT_FILE } from '../files/file-change.ts'
import { type ExposedPort, exposedPortsFact } from '../firewall/exposed-port.ts'
import { type LoadedFilter, loadedFilterFact } from '../firewall/loaded-filter.ts'

/** The TCP ports of the SSH server are not a setting: they are those where it listens. */
export type PacketFilterOptions = Readonly<{
  /** The ruleset, of the ports of the SSH server. */
  content: (ssh: readonly number[]) => string
  unit: string
  /** Ports that the settings let in already. */
  isAllowed: (port: ExposedPort) => boolean
}>

const UNIT_PATH = unitPath(UNIT.firewall)
const GUARD = {
  paths: [HOST_PATH.packetFilter, UNIT_PATH, unitPath(`sysinit.target.wants/${UNIT.firewall}`)],
  units: [UNIT.firewall],
}
const CHECK = (candidate: string) => ['/usr/sbin/nft', '-c', '-f', candidate] as const

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

const nameOf = ({ protocol, port, program }: ExposedPort): string =>
  `${port}/${protocol}${program === '' ? '' : ` (${program})`}`

function refuse(cut: readonly ExposedPort[]): never {
  const rules = cut.map(({ port, protocol }) =>
    protocol === 'tcp' ? `{ port: ${port} }` : `{ port: ${port}, protocol: udp }`,
  )
  throw refusedFailure(
    `the firewall would close ports that are in use: ${cut.map(nameOf).join(', ')}`,
    'others may need what answers there, and no setting lets it in',
    `in host.yaml, keep them: "firewall: { allow: [${rules.join(', ')}] }" (with "from: [10.0.0.0/8]" for some addresses only), close none: "firewall: none"; or stop those programs`,
  )
}

function loadReason({ state, digest }: LoadedFilter, content: string, unit: UnitState): string | undefined {
  if (state === 'absent') return 'no rules of ours are loaded'
  if (state === 'edited') return 'somebody changed the rules after they were loaded'
  if (digest !== sha256(content)) return 'older rules are loaded'
  return unit.active === 'active' ? undefined : `${UNIT.firewall} is ${unit.active}`
}

async function planLoaded(
  getFact: GetFact,
  options: PacketFilterOptions,
  loaded: LoadedFilter,
): Promise<readonly Change[]> {
  const [{ ssh, others }, unit] = await Promise.all([getFact(exposedPortsFact), getFact(unitFact(UNIT.firewall))])
  const cut = others.filter((each) => !options.isAllowed(each))
  if (loaded.state === 'absent' && cut.length > 0) refuse(cut)
  const content = options.content(ssh)
  const [rules, unitFile] = await Promise.all([
    planFile(getFact, { path: HOST_PATH.packetFilter, ...ROOT_FILE, check: CHECK }, content),
    planFile(getFact, { path: UNIT_PATH, ...ROOT_FILE }, options.unit),
  ])
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
nft delete table inet tappass 2>/dev/null || true
shift; rm -f -- "$@"; systemctl daemon-reload`

async function planAbsent(getFact: GetFact, loaded: LoadedFilter, reason: string): Promise<readonly Change[]> {
  const digests = await Promise.all([HOST_PATH.packetFilter, UNIT_PATH].map((path) => getFact(digestFact(path))))
  if (loaded.state === 'absent' && digests.every((digest) => digest === undefined)) return []
  const remove = scriptCommand(REMOVE_SCRIPT, [UNIT.firewall, HOST_PATH.packetFilter, UNIT_PATH])
  return [{ action: 'remove the packet filter', reason, commands: [remove], guard: GUARD }]
}

/**
 * The packet filter; with undefined (the setting is none), or where ufw or firewalld is active, its absence. Refuses (exit 5) to close a port
 * that is in use for the first time.
 */
export function packetFilter(options: PacketFilterOptions | undefined): Resource {
  return {
    id: 'packet-filter:tappass',
    plan: async (getFact) => {
      const [{ ufw, firewalld }, loaded] = await Promise.all([getFact(firewallsFact), getFact(loadedFilterFact)])
      if (options === undefined) return await planAbsent(getFact, loaded, 'the setting firewall is none')
      const tool = (ufw && 'ufw') ?? (firewalld && 'firewalld')
      if (tool !== undefined) return await planAbsent(getFact, loaded, `${tool} is active, and decides what is let in`)
      return await planLoaded(getFact, options, loaded)
    },
  }
}
