/** A YAML list of hosts (`--inventory`), each with its address and, where it differs, its own specification. */
import * as v from 'valibot'
import { type HostAddress, parseHostAddress } from '../connection/host-address.ts'
import { Failure } from '../core/failure.ts'

const schema = v.strictObject({
  hosts: v.pipe(
    v.array(v.strictObject({ address: v.string(), config: v.optional(v.string()) })),
    v.minLength(1, 'names no host'),
  ),
})

/** One host; `config` is a path as written there. */
export type InventoryHost = Readonly<{ address: HostAddress; config: string | undefined }>

/** Takes parsed YAML. `where` names the file. Throws a usage failure for another shape, a bad address, and a host named twice. */
export function checkInventory(written: unknown, where: string): readonly InventoryHost[] {
  const result = v.safeParse(schema, written)
  if (!result.success) {
    const why = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`).join('; ')
    const next = 'write: hosts: [{ address: root@server }]'
    throw new Failure({ what: `${where} is not an inventory`, why, next }, 64)
  }
  const hosts = result.output.hosts.map(({ address, config }) => ({ address: parseHostAddress(address), config }))
  const twice = result.output.hosts.find(
    ({ address }, index, all) => all.findIndex((other) => other.address === address) !== index,
  )
  if (twice !== undefined) {
    throw new Failure({ what: `${where} names ${twice.address} twice`, next: `take one of them out of ${where}` }, 64)
  }
  return hosts
}
