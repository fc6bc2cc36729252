/**
 * A machine's own file tree: an overlay over the shared one, so that a new machine costs nothing, with /var beside
 * it on the real disk. Docker keeps layers under /var and can't put its overlay on an overlay; a separate /var is
 * also how many servers are set up, so a rename from /etc to /var fails here as it does there.
 */
import { randomUUID } from 'node:crypto'
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { demand, execute } from './execution.ts'
import { isPresent } from './keyed-folder.ts'
import { showMemory } from './memory.ts'
import { hostAddress, hostAddress6, machineAddress, machineAddress6 } from './network.ts'
import { type MachineRecord, machinePath } from './record.ts'
import { ensureAuthority } from './vendor/authority.ts'
import { mirrorNames, vendorNames } from './vendor/name.ts'

/** The machine's files as the host sees them, also while it is off. */
export const rootPath = (name: string): string => machinePath(name, 'root')

async function isMounted(path: string): Promise<boolean> {
  return (await execute(['mountpoint', '--quiet', path])).code === 0
}

/** Mounts the machine's file tree unless it is mounted (after a restart of the host it is not). */
export async function ensureMounted(record: MachineRecord): Promise<void> {
  const at = (...parts: string[]): string => machinePath(record.name, ...parts)
  for (const folder of ['upper', 'work', 'root']) await mkdir(at(folder), { recursive: true })
  if (!(await isPresent(at('var')))) {
    await rm(at('var.partial'), { recursive: true, force: true })
    await demand(['cp', '-a', `${record.tree}/var`, at('var.partial')])
    await demand(['mv', at('var.partial'), at('var')])
  }
  const layers = `lowerdir=${record.tree},upperdir=${at('upper')},workdir=${at('work')}`
  if (!(await isMounted(at('root')))) await demand(['mount', '-t', 'overlay', 'overlay', '-o', layers, at('root')])
  if (!(await isMounted(at('root', 'var')))) await demand(['mount', '--bind', at('var'), at('root', 'var')])
}

/** Unmounts the machine's file tree. What was killed a moment ago may still hold it, so it is tried for a while. */
export async function dropMounts(name: string): Promise<void> {
  for (const path of [machinePath(name, 'root', 'var'), rootPath(name)]) {
    for (let attempt = 0; (await isMounted(path)) && attempt < 50; attempt += 1) {
      if ((await execute(['umount', path])).code !== 0) await pause(100)
    }
    if (await isMounted(path)) await demand(['umount', path])
  }
}

async function makeKey(path: string, comment: string): Promise<void> {
  await Promise.all([rm(path, { force: true }), rm(`${path}.pub`, { force: true })])
  await demand(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path])
}

/** The vendors' names as the machine's hosts file has them; one behind a proxy leaves names to it. */
function vendorLines({ number, hasVendors = false, isIpv6Only = false, isProxied = false }: MachineRecord): string {
  if (isProxied) return ''
  const addresses = isIpv6Only ? [hostAddress6(number)] : [hostAddress(number), hostAddress6(number)]
  const names = [...(hasVendors ? vendorNames : []), ...(isIpv6Only ? mirrorNames : [])]
  return addresses.flatMap((address) => names.map((each) => `${address} ${each}\n`)).join('')
}

/** Makes a tree believe the lab's authority, as every administrator does with one of the workplace's own. */
async function trustAuthority(root: string): Promise<void> {
  const { authority } = await ensureAuthority()
  await copyFile(authority, join(root, 'usr/local/share/ca-certificates/tappass-lab.crt'))
  await demand(['chroot', root, 'update-ca-certificates'], { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
}

/** Gives a machine what makes it itself: name, id, host key, and root's key for whoever made it. Once in its life. */
export async function ensureIdentity(record: MachineRecord): Promise<void> {
  const { name, number } = record
  if (await isPresent(machinePath(name, 'known_hosts'))) return
  const inside = (path: string): string => `${rootPath(name)}${path}`
  await makeKey(machinePath(name, 'key'), `root@${name}`)
  await makeKey(machinePath(name, 'host_key'), name)
  await writeFile(inside('/etc/hostname'), `${name}\n`)
  await writeFile(inside('/etc/hosts'), `127.0.0.1 localhost\n127.0.1.1 ${name}\n::1 localhost\n${vendorLines(record)}`)
  if (record.hasVendors) await trustAuthority(rootPath(name))
  if (record.memoryMegabytes !== undefined) await showMemory(rootPath(name), record.memoryMegabytes)
  await writeFile(inside('/etc/machine-id'), `${randomUUID().replaceAll('-', '')}\n`)
  await copyFile(machinePath(name, 'host_key'), inside('/etc/ssh/ssh_host_ed25519_key'))
  await copyFile(machinePath(name, 'host_key.pub'), inside('/etc/ssh/ssh_host_ed25519_key.pub'))
  await chmod(inside('/etc/ssh/ssh_host_ed25519_key'), 0o600)
  await mkdir(inside('/root/.ssh'), { recursive: true, mode: 0o700 })
  await copyFile(machinePath(name, 'key.pub'), inside('/root/.ssh/authorized_keys'))
  await chmod(inside('/root/.ssh/authorized_keys'), 0o600)
  const hostKey = (await readFile(machinePath(name, 'host_key.pub'), 'utf8')).split(' ').slice(0, 2).join(' ')
  const addresses = `${machineAddress(number)},${machineAddress6(number)}`
  await writeFile(machinePath(name, 'known_hosts'), `${addresses} ${hostKey}\n`) // last: it is the mark of completeness
}
