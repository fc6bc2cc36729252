/** How much memory a machine sees: its /proc/meminfo, which the kernel does not divide. A control group limits what it can really use. */
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Bound before anything asks. Services with a /proc of their own see the kernel's. */
const unit = `[Unit]
Description=The memory of this machine of the lab
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=mount --bind /etc/lab-meminfo /proc/meminfo
`

/** Lays a unit into a machine's tree that shows it so much memory, half of it free. */
export async function showMemory(root: string, megabytes: number): Promise<void> {
  const total = megabytes * 1024
  const shown: Readonly<Record<string, number>> = {
    MemTotal: total,
    MemFree: Math.floor(total / 2),
    MemAvailable: Math.floor(total * 0.75),
  }
  const lines = (await readFile('/proc/meminfo', 'utf8')).split('\n').map((line) => {
    const [name = ''] = line.split(':')
    const kilobytes = shown[name]
    return kilobytes === undefined ? line : `${`${name}:`.padEnd(16)}${kilobytes} kB`
  })
  await writeFile(join(root, 'etc/lab-meminfo'), lines.join('\n'))
  const folder = join(root, 'etc/systemd/system')
  await writeFile(join(folder, 'lab-meminfo.service'), unit)
  await mkdir(join(folder, 'sysinit.target.wants'), { recursive: true })
  const link = join(folder, 'sysinit.target.wants/lab-meminfo.service')
  await rm(link, { force: true })
  await symlink('../lab-meminfo.service', link)
}
