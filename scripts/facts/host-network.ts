/** What a host is called and reached by, and which resolvers it asks: part of its traits. */

/**
 * `addresses`: those that others may reach it by, without temporary ones and those of networks that container engines make; `names`: its own
 * name, and what its hosts file calls it. Both in lower case, sorted, each once. `resolvers`: the name servers of /etc/resolv.conf.
 */
export type HostNetwork = Readonly<{
  name: string
  names: readonly string[]
  addresses: readonly string[]
  resolvers: readonly string[]
}>

/** Separates this part of an output from the one before it. */
export const NETWORK_DIVIDER = '=== network\n'

/** Prints the divider and the rows, with two processes; nothing here asks a name server, which might not answer. */
export const NETWORK_SCRIPT = `printf '=== network\\n'
read -r name </proc/sys/kernel/hostname; printf 'name %s\\n' "$name"
ip -oneline address show scope global 2>/dev/null
sed '' /etc/hosts /etc/resolv.conf 2>/dev/null
exit 0`

/** Networks of containers and virtual machines on this host: nobody else is in them, and they come and go. */
const CONTAINER_INTERFACE = /^(?:docker|br-[0-9a-f]{12}$|veth|virbr|vnet|cni|flannel|cali|lxcbr|lxdbr|podman|tap)/
/** Addresses that are about to go, were not confirmed, or change every day (RFC 8981). */
const UNSTABLE = /\b(?:temporary|deprecated|tentative|dadfailed)\b/
/** A row of `ip`. */
const ADDRESS = /^\d+:\s+([^\s:]+)\s+inet6?\s+([0-9a-fA-F.:]+)/
const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/
/** Debian's installer and cloud-init write the host's own names to this address. */
const OWN_NAMES_ADDRESS = '127.0.1.1'

function sorted(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted()
}

function addressOf(row: string): readonly string[] {
  const [, device = '', address = ''] = ADDRESS.exec(row) ?? []
  return address === '' || CONTAINER_INTERFACE.test(device) || UNSTABLE.test(row) ? [] : [address.toLowerCase()]
}

function hostsNames(row: string, own: readonly string[]): readonly string[] {
  const [address = '', ...names] = row.replace(/#.*/, '').trim().split(/\s+/)
  return address === OWN_NAMES_ADDRESS || own.includes(address.toLowerCase()) ? names : []
}

/** Parses the rows of the script; what is missing or no valid name is left out. */
export function parseNetwork(text: string): HostNetwork {
  const rows = text.split('\n')
  const after = (keyword: RegExp) => rows.flatMap((row) => (keyword.test(row) ? [row.split(/\s+/)[1] ?? ''] : []))
  const addresses = sorted(rows.flatMap(addressOf))
  const isName = (each: string) => NAME.test(each) && /[a-z]/.test(each)
  const name = after(/^name\s/)[0]?.toLowerCase() ?? ''
  const named = [name, ...rows.flatMap((row) => hostsNames(row, addresses))].map((each) => each.toLowerCase())
  return {
    name: isName(name) ? name : 'localhost',
    names: sorted(named.filter((each) => isName(each) && !/^(?:ip6-)?localhost$|^ip6-loopback$/.test(each))),
    addresses,
    resolvers: after(/^nameserver\s/),
  }
}
