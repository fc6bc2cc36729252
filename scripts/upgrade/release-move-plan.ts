/** What is told of a move to another release before anybody is asked: the way, the migrations, what restarts, what ends, how long it will take. */

import { parseMigrationHeader } from '../../contract/migration-header.ts'
import { gatewayInstances } from '../../contract/unit.ts'
import { parseLadder, pathOf } from '../artifacts/release-ladder.ts'
import { type KnownMigration, type SchemaStatus, schemaStatusFact } from '../control/schema-status.ts'
import type { GetFact } from '../core/host.ts'
import { verifyHistory } from '../history/entry.ts'
import { historyFact } from '../history/history-fact.ts'
import type { MoveMigration, ReleaseMove } from '../output/event.ts'
import type { HostSpec, ReleaseChange } from '../spec/host-spec.ts'
import { type Acceptance, acceptances, durationOf } from './acceptance.ts'
import { callFiguresFact } from './call-figure.ts'
import { installedReleasesFact, releaseFolder } from './installed-release.ts'

/** What a plan is made from. `files` are the migrations of the release with what they say of themselves. */
export type MoveFacts = Readonly<{
  from: string | undefined
  to: string
  stops: Parameters<typeof pathOf>[0]
  files: readonly MoveMigration[]
  applied: readonly KnownMigration[] | undefined
  instances: number
  inFlight: number | null
  accepted: readonly Acceptance[]
  change: ReleaseChange
}>

/** Returns what the move will do. Pure. */
export function planMove(facts: MoveFacts): ReleaseMove {
  const { from, to, stops, files, applied, instances, inFlight, accepted, change } = facts
  const done = new Set((applied ?? []).map(({ file }) => file))
  const pending = applied === undefined ? [] : files.filter(({ file }) => !done.has(file))
  const isWaiting = ({ phase }: MoveMigration) => phase === 'contract' && !(change.isFinishing && from === to)
  const migrations = pending.filter((each) => !isWaiting(each))
  const { seconds, runs } = durationOf(accepted)
  return {
    ...{ from: from ?? null, to, path: from === undefined ? [to] : pathOf(stops, from, to), migrations },
    waiting: pending.filter(isWaiting),
    restarts: from === to ? [] : gatewayInstances(instances).map((name) => name.replace('.service', '')),
    ...{ inFlight, soakSeconds: change.soakSeconds, expectedSeconds: seconds ?? null, runs },
    isReturnPossible: migrations.every(({ phase }) => phase === 'expand'),
  }
}

/** Asks the host. `text` reads a file of the release that runs this. */
export async function releaseMoveOf(
  getFact: GetFact,
  spec: HostSpec & Readonly<{ releaseChange: ReleaseChange }>,
  text: (path: string) => string,
): Promise<ReleaseMove> {
  const [{ current }, history, { inFlight }] = await Promise.all([
    getFact(installedReleasesFact),
    getFact(historyFact),
    getFact(callFiguresFact),
  ])
  const status: SchemaStatus | undefined =
    current === undefined ? undefined : await getFact(schemaStatusFact(releaseFolder(current)))
  const names = [...spec.release.manifest.matchAll(/^\S+ {2}\.\/migrations\/(\d{3}_\S+\.sql)$/gm)].map(
    ([, file = '']) => file,
  )
  const files = names.map((file) => ({ file, phase: parseMigrationHeader(text(`migrations/${file}`)).phase ?? null }))
  return planMove({
    ...{ from: current, to: spec.release.version, stops: parseLadder(text('upgrades.yaml')), files },
    ...{ applied: status?.applied, instances: spec.instances, inFlight, change: spec.releaseChange },
    accepted: acceptances(verifyHistory(history).generations),
  })
}
