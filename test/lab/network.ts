/**
 * The network of machines: a namespace and a veth pair each, 10.77.N.1 on the host's side and 10.77.N.2 inside,
 * masqueraded on the way out unless air-gapped. Place 0 is the outside world: a namespace of its own, for packets
 * that come from neither the host nor the machine. Interfaces and namespaces are named `tpl-N`, in the whole system.
 */
import { access, writeFile } from 'node:fs/promises'
import { demand, execute } from './execution.ts'
import { withLock } from './lock.ts'
import type { MachineRecord } from './record.ts'

const table = 'tappass_lab'
const systemLock = '/run/lock/tappass-lab.lock' // not in the cache: two caches share one network

type Interface = Readonly<{ ifname: string; ifalias?: string; addr_info?: readonly Readonly<{ local?: string }>[] }>

/** The name of a machine's network namespace, and of its interface on the host. */
export const networkName = (number: number): string => `tpl-${number}`
/** The machine's IPv4 address. */
export const machineAddress = (number: number): string => `10.77.${number}.2`
/** The host's IPv4 address, as the machine sees it. */
export const hostAddress = (number: number): string => `10.77.${number}.1`
/** The machine's IPv6 address. */
export const machineAddress6 = (number: number): string => `fd77::${number}:2`
/** The host's IPv6 address, as the machine sees it. */
export const hostAddress6 = (number: number): string => `fd77::${number}:1`
/** The port of the HTTP proxy on this host, for machines behind one. */
export const proxyPort = 3128
/** The address by which others reach a machine. */
export const addressOf = ({ number, isIpv6Only = false }: MachineRecord): string =>
  isIpv6Only ? machineAddress6(number) : machineAddress(number)
/** The host's address as that machine sees it. */
export const hostAddressFor = ({ number, isIpv6Only = false }: MachineRecord): string =>
  isIpv6Only ? hostAddress6(number) : hostAddress(number)

async function interfaces(): Promise<readonly Interface[]> {
  return JSON.parse(await demand(['ip', '-json', 'address', 'show'])) as Interface[]
}

/** Finds the lowest place that no interface of this system and none of the given records has. */
function freeNumber(present: readonly Interface[], records: readonly MachineRecord[]): number {
  const taken = new Set(records.map((record) => record.number))
  for (const { ifname, addr_info: addresses = [] } of present) {
    const named = /^tpl-(\d+)$/.exec(ifname)?.[1]
    if (named !== undefined) taken.add(Number(named))
    for (const { local = '' } of addresses) {
      const used = /^10\.77\.(\d+)\./.exec(local)?.[1]
      if (used !== undefined) taken.add(Number(used))
    }
  }
  for (let number = 1; number < 255; number += 1) if (!taken.has(number)) return number
  throw new Error('all 254 places of 10.77.0.0/16 are taken: see `test/lab/lab list` and `ip address`')
}

/**
 * The rules that all machines share. `connected` holds the subnets that may go out; from any other the answer is
 * an immediate refusal, so that an air-gapped test fails at once instead of waiting for a timeout.
 */
const sharedRules = `table inet ${table} {
  set connected { type ipv4_addr; flags interval; }
  chain postrouting { type nat hook postrouting priority srcnat
    ip saddr @connected ip daddr != 10.77.0.0/16 masquerade
  }
  chain forward { type filter hook forward priority filter
    ip saddr 10.77.0.0/16 ip daddr != 10.77.0.0/16 ip saddr != @connected reject
    ip6 saddr fd77::/96 ip6 daddr != fd77::/96 reject
  }
}
`

async function setForwarding(): Promise<void> {
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1')
  await writeFile('/proc/sys/net/ipv6/conf/all/forwarding', '1').catch(() => {}) // a host without IPv6
}

/** The rules of one machine that reaches the proxy on this host alone: what else it tries is refused, and counted by where it was to go. */
const proxyRules = (number: number): string => `table inet ${table}_${number} {
  set strays4 { type ipv4_addr . inet_proto . inet_service; flags dynamic; size 4096; counter; }
  set strays6 { type ipv6_addr . inet_proto . inet_service; flags dynamic; size 4096; counter; }
  chain refuse {
    ct state established,related accept
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld-listener-report, mld2-listener-report } accept
    meta l4proto { tcp, udp } update @strays4 { ip daddr . meta l4proto . th dport counter }
    meta l4proto { tcp, udp } update @strays6 { ip6 daddr . meta l4proto . th dport counter }
    reject
  }
  chain input { type filter hook input priority filter - 10
    iifname ${networkName(number)} tcp dport ${proxyPort} accept
    iifname ${networkName(number)} jump refuse
  }
  chain forward { type filter hook forward priority filter - 10
    iifname ${networkName(number)} jump refuse
  }
}
`

type SetElement = Readonly<{ elem: Readonly<{ val: Readonly<{ concat: readonly unknown[] }> }> }>

/** Gives where a machine behind the proxy tried to go past it: `address protocol port` of each. */
export async function straysOf(number: number): Promise<readonly string[]> {
  const texts = await Promise.all(
    ['strays4', 'strays6'].map((set) =>
      demand(['nft', '--json', '--numeric', 'list', 'set', 'inet', `${table}_${number}`, set]),
    ),
  )
  return texts.flatMap((text) => {
    const { nftables } = JSON.parse(text) as {
      nftables: readonly Readonly<{ set?: { elem?: readonly SetElement[] } }>[]
    }
    return nftables.flatMap(({ set }) => (set?.elem ?? []).map(({ elem }) => elem.val.concat.join(' ')))
  })
}

type Addressing = Pick<MachineRecord, 'number' | 'isIpv6Only'>

async function addNetwork({ number, isIpv6Only = false }: Addressing, alias: string): Promise<void> {
  const name = networkName(number)
  await removeLink(name) // what a crash in here may have left
  await demand(['ip', 'netns', 'add', name])
  await demand(['ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'host0', 'netns', name])
  const host = `link set ${name} alias ${alias} up
address add ${hostAddress(number)}/24 dev ${name}
`
  const inside4 = `address add ${machineAddress(number)}/24 dev host0
route add default via ${hostAddress(number)}
`
  const inside = `link set lo up
link set host0 up
${isIpv6Only ? '' : inside4}`
  await demand(['ip', '-batch', '-'], { stdin: host })
  await demand(['ip', '-netns', name, '-batch', '-'], { stdin: inside })
  const hasIpv6 = await access('/proc/sys/net/ipv6').then(
    () => true,
    () => false,
  )
  if (!hasIpv6) {
    if (isIpv6Only) throw new Error('this host has no IPv6')
    return
  }
  // `nodad`: usable at once, without the second of waiting for somebody else with the same address
  await demand(['ip', 'address', 'add', `${hostAddress6(number)}/112`, 'dev', name, 'nodad'])
  const inside6 = `address add ${machineAddress6(number)}/112 dev host0 nodad
route add default via ${hostAddress6(number)}
`
  await demand(['ip', '-6', '-netns', name, '-batch', '-'], { stdin: inside6 })
}

/** The link first: that takes it away at once, while a namespace takes its end of it along some time after it is gone itself. */
async function removeLink(name: string): Promise<void> {
  await execute(['ip', 'link', 'delete', name])
  await execute(['ip', 'netns', 'delete', name])
}

async function removeNetwork(number: number): Promise<void> {
  const name = networkName(number)
  await removeLink(name)
  await execute(['nft', 'delete', 'table', 'inet', `${table}_${number}`])
  await execute(['nft', 'delete', 'element', 'inet', table, 'connected', `{ 10.77.${number}.0/24 }`])
}

/** Removes the networks of machines whose folder is gone (a crash, a deleted cache). */
async function removeOrphans(present: readonly Interface[]): Promise<void> {
  for (const { ifname, ifalias = '' } of present) {
    const number = /^tpl-(\d+)$/.exec(ifname)?.[1]
    if (number === undefined || number === '0' || !ifalias.startsWith('/')) continue
    const isOwned = await access(ifalias).then(
      () => true,
      () => false,
    )
    if (!isOwned) await removeNetwork(Number(number))
  }
}

/**
 * Chooses a place for a new machine. `claim` writes it down while the lock is held, so that no two machines get
 * the same; `records` are those of this cache.
 */
export function claimNumber(
  records: () => Promise<readonly MachineRecord[]>,
  claim: (number: number) => Promise<void>,
): Promise<void> {
  return withLock(systemLock, async () => {
    await removeOrphans(await interfaces())
    await claim(freeNumber(await interfaces(), await records()))
  })
}

/** Makes the machine's network unless it is there. `folder` owns it: when that is gone, anyone may clear it away. */
export function ensureNetwork(record: MachineRecord, folder: string): Promise<void> {
  return withLock(systemLock, async () => {
    await setForwarding()
    const hasTable = (await execute(['nft', 'list', 'table', 'inet', table])).code === 0
    if (!hasTable) await demand(['nft', '-f', '-'], { stdin: sharedRules })
    const elsewhere = record.isIpv6Only ? '2001:db8::1' : '1.1.1.1'
    const isMade = (await execute(['ip', '-netns', networkName(record.number), 'route', 'get', elsewhere])).code === 0
    if (!isMade) await addNetwork(record, folder)
    if (record.isProxied) {
      const isRuled = (await execute(['nft', 'list', 'table', 'inet', `${table}_${record.number}`])).code === 0
      if (!isRuled) await demand(['nft', '-f', '-'], { stdin: proxyRules(record.number) })
      return
    }
    const element = `{ 10.77.${record.number}.0/24 }`
    if (!record.isAirGapped) await demand(['nft', 'add', 'element', 'inet', table, 'connected', element])
  })
}

/** Removes a machine's network; with the last machine, the outside world and the shared rules go too. */
export function dropNetwork(number: number): Promise<void> {
  return withLock(systemLock, async () => {
    await removeNetwork(number)
    if ((await interfaces()).some(({ ifname }) => /^tpl-[1-9]/.test(ifname))) return
    await removeNetwork(0)
    await execute(['nft', 'delete', 'table', 'inet', table])
  })
}

/** Makes the outside world unless it is there, and gives the name of its namespace. */
export function ensureOutside(): Promise<string> {
  return withLock(systemLock, async () => {
    const isMade = (await execute(['ip', '-netns', networkName(0), 'route', 'get', '10.77.1.2'])).code === 0
    if (!isMade) await addNetwork({ number: 0 }, 'outside')
    return networkName(0)
  })
}
