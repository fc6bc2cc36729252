/** What this host is to one machine in the place of others: written when the machine is booted, read by `host.ts`. */
import { readFile, writeFile } from 'node:fs/promises'
import { hostAddress, hostAddress6, proxyPort } from '../network.ts'
import { type MachineRecord, machinePath } from '../record.ts'
import { ensureAuthority } from './authority.ts'
import type { Asked, HostSettings } from './host.ts'
import { ensureSite, type Site } from './site.ts'

const recordPath = (name: string): string => machinePath(name, 'vendors.jsonl')
const nothing: Site = { pages: {}, redirects: {} }

/** Writes the settings and gives their file; undefined for a machine that has a way out and the vendors of everybody. */
export async function writeVendorSettings(record: MachineRecord): Promise<string | undefined> {
  const { name, number, hasVendors = false, isIpv6Only = false, isProxied = false } = record
  if (!hasVendors && !isIpv6Only && !isProxied) return undefined
  const settings: HostSettings = {
    addresses: isIpv6Only ? [hostAddress6(number)] : [hostAddress(number), hostAddress6(number)],
    authority: await ensureAuthority(),
    site: hasVendors ? await ensureSite() : nothing,
    record: recordPath(name),
    ...(isProxied ? { proxyPort } : {}),
  }
  const path = machinePath(name, 'vendors.json')
  await writeFile(path, JSON.stringify(settings))
  return path
}

/** Gives what a machine asked of this host in the place of others, in order. */
export async function askedBy({ name }: Pick<MachineRecord, 'name'>): Promise<readonly Asked[]> {
  const text = await readFile(recordPath(name), 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Asked)
}
