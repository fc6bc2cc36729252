/** What a move to another release will do, as lines for people. */
import type { MoveMigration, ReleaseMove } from './event.ts'

function names(migrations: readonly MoveMigration[]): string {
  return migrations.map(({ file, phase }) => (phase === null ? file : `${file} (${phase})`)).join(', ')
}

function timeLine({ expectedSeconds, runs, soakSeconds }: ReleaseMove): string {
  const last =
    expectedSeconds === null
      ? 'not known yet on this host'
      : `about ${expectedSeconds} s, by the last ${runs} of this host`
  return `  time:       ${last}; the instances are watched for ${soakSeconds} s before it is accepted`
}

/** Returns the lines. */
export function releaseMoveLines(move: ReleaseMove): readonly string[] {
  const { from, to, path, migrations, waiting, restarts, inFlight, isReturnPossible } = move
  const way = from === to ? [`release ${to} is in force`] : [`release: ${path.join(' -> ')}`]
  const schema = migrations.length === 0 ? 'none' : names(migrations)
  const back =
    migrations.length === 0
      ? ''
      : isReturnPossible
        ? '; the release before runs on with them'
        : '; there is no way back over them but the backup'
  return [
    ...way,
    `  migrations: ${schema}${back}`,
    ...(waiting.length === 0 ? [] : [`  afterwards: ${names(waiting)}, by the next upgrade or "upgrade --finish"`]),
    ...(restarts.length === 0
      ? ['  restarts:   none']
      : [
          `  restarts:   ${restarts.join(', ')}, one after the other`,
          `  calls:      ${inFlight === null ? '' : `${inFlight} now; `}each instance lets its calls end for 30 s, what takes longer (a stream) is cut off`,
          timeLine(move),
        ]),
  ]
}
