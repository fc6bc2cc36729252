/** How many round trips a run on a host takes. */
import type { Connection, Runner } from '../core/host.ts'

/** Counts the commands of a connection; each is one round trip. */
export function countRoundTrips(
  connection: Connection,
): Readonly<{ connection: Connection; roundTrips: () => number }> {
  let roundTrips = 0
  const count =
    (run: Runner): Runner =>
    (command, onLine) => {
      roundTrips++
      return run(command, onLine)
    }
  const { run, runAsUser } = connection
  return { connection: { ...connection, run: count(run), runAsUser: count(runAsUser) }, roundTrips: () => roundTrips }
}
