/** The health of a host: the units that are wanted, its gateway, the current release, and what all of that stands on. */

import { parse } from 'yaml'
import { GATEWAY_HOST, GATEWAY_PORT } from '../../contract/gateway.ts'
import { HOST_PATH } from '../../contract/path.ts'
import {
  CONNECTORS,
  connectors,
  gatewayInstances,
  IDENTITY_UNITS,
  INSTANCES_DEFAULT,
  liveParts,
  opaInstance,
  UNIT,
} from '../../contract/unit.ts'
import type { Fact, GetFact } from '../core/host.ts'
import { contentFact, targetFact } from '../facts/path.ts'
import { type UnitState, unitsFact } from '../facts/unit.ts'
import { isExternal, needsContainers, type StorageSettings } from '../storage/storage-spec.ts'
import type { LastBackup } from './backup-condition.ts'
import type { Condition } from './condition.ts'
import { conditionsFact } from './host-condition.ts'
import { renderTable } from './text-table.ts'

/**
 * `since` is ISO time, empty for a unit that never ran. `isDesired`: the settings of the host ask for it. `isHealthy`: it is as it is wanted,
 * or nobody wants it. `desiredRevision` is that of its file, where it differs from the one that runs.
 */
export type UnitHealth = Readonly<{
  unit: string
  state: string
  isDesired: boolean
  isHealthy: boolean
  since: string
  revision: string
  desiredRevision?: string
}>

/** `gateway` is the status from /health (`healthy`), or why there was no response. `release` is empty where there is none. */
export type Health = Readonly<{
  isHealthy: boolean
  release: string
  gateway: string
  units: readonly UnitHealth[]
  conditions: readonly Condition[]
  lastBackup: LastBackup | undefined
}>

const gatewayFact: Fact<string> = {
  query: { argv: ['curl', '-sS', '--max-time', '5', `http://${GATEWAY_HOST}:${GATEWAY_PORT}/health`], effect: 'read' },
  parse: ({ code, stdout, stderr }) => {
    const status = /"status"\s*:\s*"([^"]*)"/.exec(stdout)?.[1]
    return status ?? (stderr.trim() || `no response (curl exit code ${code})`)
  },
}

/** The revision that the file of a unit states, by the name of the file; none for units that state it elsewhere. */
const fileRevisionsFact: Fact<ReadonlyMap<string, string>> = {
  query: {
    argv: ['sh', '-c', 'cd /etc/systemd/system && grep -HoE "^Environment=TAPPASS_REVISION=[0-9a-f]+" tappass*'],
    effect: 'read',
  },
  parse: ({ stdout }) =>
    new Map(
      stdout.split('\n').flatMap((row) => {
        const [, name, revision] = /^([^:]+):Environment=TAPPASS_REVISION=(\w+)$/.exec(row) ?? []
        return name === undefined || revision === undefined ? [] : [[name, revision] as const]
      }),
    ),
}

/** What of the settings of a host decides on what it shall run. */
type Settings = StorageSettings &
  Readonly<{
    instances?: number
    ingress?: unknown
    identity?: unknown
    site?: unknown
    firewall?: unknown
    backup?: Readonly<{ store?: unknown; pointInTimeDays?: unknown }> | null
    drift?: Readonly<{ check?: unknown; repair?: unknown }> | null
  }>

/** The OPA server that the gateways ask, by their own settings. */
function opaUnits(environment: string | undefined): readonly string[] {
  const key = /^OPA_URL=.*\/([0-9a-f]+)\.sock$/m.exec(environment ?? '')?.[1]
  return key === undefined ? [] : [opaInstance(key)]
}

/** The units that a host does not have whose database or Redis somebody else runs. */
function unitsElsewhere(settings: Settings): readonly string[] {
  return [
    ...(isExternal(settings, 'database')
      ? [UNIT.postgres, UNIT.backup, UNIT.backupTimer, UNIT.drill, UNIT.drillTimer]
      : []),
    ...(isExternal(settings, 'redis') ? [UNIT.redis] : []),
  ]
}

/** Backups of a database that somebody else runs are not looked at from here. */
function besideStorage(settings: Settings, condition: Condition): Condition {
  if (condition.name !== 'backup' || !isExternal(settings, 'database')) return condition
  return { name: 'backup', state: 'none here: whoever runs the database backs it up', isWell: true }
}

/** Those of the packet filter. Beside ufw or firewalld there is none of ours. */
function filterUnits({ firewall }: Settings, isLoaded: (name: string) => boolean): readonly string[] {
  if (firewall === 'none' || !isLoaded(UNIT.firewall)) return []
  const isOutboundClosed = (firewall as Readonly<{ outbound?: unknown }> | null | undefined)?.outbound !== undefined
  return [UNIT.firewall, ...(isOutboundClosed ? [UNIT.outbound, UNIT.outboundTimer] : [])]
}

/** Returns the units that the settings ask for. */
function desiredUnits(
  settings: Settings,
  environment: string | undefined,
  isLoaded: (name: string) => boolean,
): readonly string[] {
  const { instances = INSTANCES_DEFAULT, ingress, identity, drift } = settings
  const { gateway: _, opa: __, tunnel: ___, caddy, ...units } = UNIT
  const live = liveParts(ingress)
  const unwanted: readonly string[] = [
    ...[UNIT.firewall, UNIT.outbound, UNIT.outboundTimer],
    ...(identity === undefined ? IDENTITY_UNITS : []),
    ...(drift?.check === 'off' ? [UNIT.drift, UNIT.driftTimer] : []),
    ...(drift?.repair === true ? [] : [UNIT.repair]),
    ...(settings.backup?.store === undefined ? [UNIT.backupCopy, UNIT.backupCopyTimer] : []),
    ...(settings.backup?.store === undefined || settings.backup.pointInTimeDays === 0 ? [UNIT.backupCopyPath] : []),
    ...unitsElsewhere(settings),
  ]
  return [
    ...Object.values(units).filter((name) => !unwanted.includes(name)),
    ...(live.includes('caddy') ? [caddy] : []),
    ...(live.includes('tunnel') ? connectors(CONNECTORS) : []),
    ...opaUnits(environment),
    ...filterUnits(settings, isLoaded),
    ...gatewayInstances(instances),
  ]
}

/** What does its work and ends. */
const ENDING: readonly string[] = [
  UNIT.backup,
  UNIT.backupCopy,
  UNIT.check,
  UNIT.guard,
  UNIT.drift,
  UNIT.repair,
  UNIT.drill,
  UNIT.outbound,
]

function isAsDesired({ name, active, result }: UnitState): boolean {
  if (!ENDING.includes(name)) return active === 'active'
  return active === 'activating' || active === 'active' || (active === 'inactive' && result === 'success')
}

function unitHealth(unit: UnitState, isDesired: boolean, fileRevisions: ReadonlyMap<string, string>): UnitHealth {
  const { name, active, sub, sinceSeconds, revision = '' } = unit
  const inFile = fileRevisions.get(name) ?? fileRevisions.get(name.replace(/@[^.]*/, '@')) ?? ''
  const isOutdated = active === 'active' && revision !== '' && inFile !== '' && revision !== inFile
  return {
    unit: name,
    state: `${active} (${sub})`,
    isDesired,
    isHealthy: !isDesired || (isAsDesired(unit) && !isOutdated),
    since: sinceSeconds === 0 ? '' : new Date(sinceSeconds * 1000).toISOString(),
    revision,
    ...(isOutdated ? { desiredRevision: inFile } : {}),
  }
}

/** The state of a unit that is wanted and that systemd does not have. */
export const ABSENT = 'not loaded'

function absentUnit(unit: string): UnitHealth {
  return { unit, state: ABSENT, isDesired: true, isHealthy: false, since: '', revision: '' }
}

/** Reads all facts of the health in one turn. */
export async function gatherHealth(getFact: GetFact): Promise<Health> {
  const [states, gateway, current, settingsText, environment, fileRevisions, judged] = await Promise.all([
    getFact(unitsFact('tappass*')),
    getFact(gatewayFact),
    getFact(targetFact(HOST_PATH.currentRelease)),
    getFact(contentFact(HOST_PATH.settings)),
    getFact(contentFact(HOST_PATH.gatewayEnvironment)),
    getFact(fileRevisionsFact),
    getFact(conditionsFact),
  ])
  const release = current?.split('/').at(-1) ?? ''
  // Nothing is wanted on a host that has nothing of ours.
  const settings = (parse(settingsText ?? '') ?? {}) as Settings
  const isBare = states.length === 0 && release === '' && settingsText === undefined
  const isLoaded = (name: string) => states.some((state) => state.name === name && state.load === 'loaded')
  const desired = isBare ? [] : desiredUnits(settings, environment, isLoaded)
  const loaded = states.map((state) => unitHealth(state, desired.includes(state.name), fileRevisions))
  const absent = desired.filter((name) => !loaded.some(({ unit }) => unit === name)).map(absentUnit)
  const units = [...loaded, ...absent].toSorted((a, b) => (a.unit < b.unit ? -1 : 1))
  const live = isBare ? [] : liveParts(settings.ingress)
  const subjects: Readonly<Record<string, boolean>> = {
    certificate: live.includes('caddy') || isBare,
    tunnel: live.includes('tunnel'),
    site: settings.ingress !== 'none' && settings.site !== 'none',
    docker: needsContainers(settings),
  }
  const conditions = judged.conditions
    .filter(({ name }) => subjects[name] ?? true)
    .map((condition) => besideStorage(settings, condition))
  const health = { release, gateway, units, conditions, lastBackup: judged.lastBackup }
  return { isHealthy: units.length > 0 && unhealthyParts(health).length === 0, ...health }
}

/** Whether TapPass was ever installed: the host has a unit, a release or settings of ours. */
export function isInstalled({ units, release }: Health): boolean {
  return units.length > 0 || release !== ''
}

/** Returns what is unhealthy: units, the gateway with its status, and conditions. */
export function unhealthyParts({ units, gateway, conditions }: Omit<Health, 'isHealthy'>): readonly string[] {
  return [
    ...units.filter((unit) => !unit.isHealthy).map(({ unit }) => unit),
    ...(gateway === 'healthy' ? [] : [`gateway (${gateway})`]),
    ...conditions.filter(({ isWell }) => !isWell).map(({ name, state }) => `${name} (${state})`),
  ]
}

function unitRow({
  unit,
  state,
  isDesired,
  isHealthy,
  since,
  revision,
  desiredRevision,
}: UnitHealth): readonly string[] {
  const shown = desiredRevision === undefined ? revision : `${revision}, desired ${desiredRevision}`
  return [isHealthy ? unit : `${unit} !`, isDesired ? state : `${state}, not in the settings`, since, shown]
}

/** Renders the health as a table and a line for each condition, with a line end. What is not well has an exclamation mark. */
export function renderHealth({ release, gateway, units, conditions }: Health): string {
  const rows: readonly Condition[] = [
    { name: 'release', state: release || 'none', isWell: release !== '' },
    { name: 'gateway', state: gateway, isWell: gateway === 'healthy' },
    ...conditions,
  ]
  const lines = rows.map(({ name, state, isWell }) => `${`${name}${isWell ? '' : ' !'}`.padEnd(14)} ${state}`)
  return `${renderTable([['UNIT', 'STATE', 'SINCE', 'REVISION'], ...units.map(unitRow)])}\n\n${lines.join('\n')}\n`
}
