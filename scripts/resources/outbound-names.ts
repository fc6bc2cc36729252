/** Who is let out, by name: the list on the host, whose addresses are found as soon as it changes. */
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { changeCommand, within } from '../core/command.ts'
import type { GetFact } from '../core/host.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { contentFact } from '../facts/path.ts'
import { planFile, ROOT_FILE } from '../files/file-change.ts'
import { planFileAbsent } from '../files/removal.ts'
import { outboundText, rowsOf } from '../firewall/outbound.ts'

/** Names that do not answer take a quarter of a minute, all at once. */
const FIND_MINUTES = 2

async function planList(getFact: GetFact, text: string): Promise<readonly Change[]> {
  const changes = await planFile(getFact, { path: HOST_PATH.outboundList, ...ROOT_FILE }, text)
  const find = within(FIND_MINUTES, changeCommand('systemctl', 'start', UNIT.outbound))
  return changes.map((change): Change => ({ ...change, commands: [...change.commands, find] }))
}

/** The list with exactly these rows. */
export function outboundNames({ rows }: Readonly<{ rows: readonly string[] }>): Resource {
  return {
    id: 'outbound-names:tappass',
    absent: (getFact) => planFileAbsent(getFact, HOST_PATH.outboundList),
    plan: (getFact) => planList(getFact, outboundText(rows)),
  }
}

/**
 * Rows that are new are let out beside those that there are, before anything asks for them; what is not to be let out any more is taken away by
 * `outboundNames`, once nothing asks for it. Without a list nothing is closed yet.
 */
export function outboundOpening({ rows }: Readonly<{ rows: readonly string[] }>): Resource {
  return {
    id: 'outbound-names:opening',
    absent: leavesNothing('the list goes as a whole'),
    plan: async (getFact) => {
      const text = await getFact(contentFact(HOST_PATH.outboundList))
      if (text === undefined) return []
      const open = rowsOf(text)
      if (rows.every((row) => open.includes(row))) return []
      return await planList(getFact, outboundText([...new Set([...open, ...rows])].toSorted()))
    },
  }
}
