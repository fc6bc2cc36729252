/** A YAML list of hosts (`--inventory`), each with its address and, where it differs, its own specification. */
import * as v from 'valibot'
import { parseTypedAddress, type TypedAddress } from '../connection/host-address.ts'
import { Failure } from '../core/failure.ts'

const schema = v.strictObject({
  hosts: v.pipe(
    v.array(v.strictObject({ address: v.string(), config: v.optional(v.string()) })),
    v.minLength(1, 'the list is empty'),
  ),
})

/** One host; `config` is a path as written in the file. */
export type InventoryHost = Readonly<{ address: TypedAddress; config: string | undefined }>

/** Validates parsed YAML. `where` is the path of the file. Throws a usage failure for another structure, an invalid address, and a duplicate host. */
export function parseInventory(parsed: unknown, where: string): readonly InventoryHost[] {
  const result = v.safeParse(schema, parsed)
  if (!result.success) {
    const why = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`).join('; ')
    const next = `write to ${where}: hosts: [{ address: root@server }]`
    throw new Failure({ what: `${where} is not a valid inventory`, why, next }, 64)
  }
  const hosts = result.output.hosts.map(({ address, config }) => ({
    address: parseTypedAddress(address, (example) => `write to ${where}: address: ${example}`),
    config,
  }))
  const duplicate = result.output.hosts.find(
    ({ address }, index, all) => all.findIndex((other) => other.address === address) !== index,
  )
  if (duplicate !== undefined) {
    throw new Failure(
      { what: `${where} lists ${duplicate.address} twice`, next: `remove one of the entries from ${where}` },
      64,
    )
  }
  return hosts
}
