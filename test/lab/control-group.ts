/**
 * The control group that all of a machine's processes are in. The kernel answers from it whether the machine runs
 * and who is in it, and ends it at one stroke, so no number of a process that may have been given to another one
 * since is ever trusted. (Killing only systemd-nspawn leaves the machine running: tried.)
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isPresent } from './keyed-folder.ts'

/** Version 2 is alone on a newer host, and beside version 1 on an older one. */
async function unifiedRoot(): Promise<string> {
  for (const root of ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']) {
    if (await isPresent(join(root, 'cgroup.controllers'))) return root
  }
  throw new Error('no control groups of version 2 are mounted here: the lab can neither watch nor end machines')
}

/** The folder of the machine's group. `id` is unique in the system, and the group's name at the top. */
export async function groupPath(id: string): Promise<string> {
  return join(await unifiedRoot(), id)
}

async function groupPaths(id: string): Promise<readonly string[]> {
  const named = '/sys/fs/cgroup/systemd' // systemd-nspawn divides this one too, where there is one
  return [await groupPath(id), ...((await isPresent(named)) ? [join(named, id)] : [])]
}

/** Makes the group, and gives the files to which a process writes its own number to join it. */
export async function makeGroup(id: string): Promise<readonly string[]> {
  const paths = await groupPaths(id)
  for (const path of paths) await mkdir(path, { recursive: true })
  return paths.map((path) => join(path, 'cgroup.procs'))
}

const memoryRoot = '/sys/fs/cgroup/memory' // only where that controller is in version 1

/**
 * Limits the memory of what joins the group, and gives the file to which a process writes its own number for it. Of a limit on a host whose
 * controller is in version 2 the machine's supervisor is part, too.
 */
export async function limitMemory(id: string, megabytes: number): Promise<string> {
  const bytes = `${megabytes * 1024 * 1024}`
  if (await isPresent(memoryRoot)) {
    await mkdir(join(memoryRoot, id), { recursive: true })
    await writeFile(join(memoryRoot, id, 'memory.limit_in_bytes'), bytes)
    return join(memoryRoot, id, 'cgroup.procs')
  }
  await writeFile(join(await unifiedRoot(), 'cgroup.subtree_control'), '+memory')
  await writeFile(join(await groupPath(id), 'memory.max'), bytes)
  return '/dev/null'
}

/** Gives how many processes of the group the kernel has ended because its memory was used up. */
export async function memoryKills(id: string): Promise<number> {
  const path = (await isPresent(memoryRoot))
    ? join(memoryRoot, id, 'memory.oom_control')
    : join(await groupPath(id), 'memory.events')
  const count = /^oom_kill (\d+)$/m.exec(await readFile(path, 'utf8'))?.[1]
  if (count === undefined) throw new Error(`${path} does not count what was ended`)
  return Number(count)
}

/** Says whether any process is in the group. */
export async function isPopulated(id: string): Promise<boolean> {
  const events = await readFile(join(await groupPath(id), 'cgroup.events'), 'utf8').catch(() => '')
  return events.includes('populated 1')
}

/** Gives the process ids in a part of the group; none when it is not there. */
export async function groupMembers(id: string, part: string): Promise<readonly number[]> {
  const text = await readFile(join(await groupPath(id), part, 'cgroup.procs'), 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean).map(Number)
}

async function removeGroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) if (entry.isDirectory()) await removeGroup(join(path, entry.name))
  await rmdir(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw new Error(`the control group ${path} can't be removed`, { cause })
  })
}

/** Kills every process of the group with SIGKILL, waits until they are gone, and removes the group. */
export async function endGroup(id: string): Promise<void> {
  const path = await groupPath(id)
  if (await isPresent(path)) await writeFile(join(path, 'cgroup.kill'), '1')
  for (let attempt = 0; (await isPopulated(id)) && attempt < 500; attempt += 1) await pause(20)
  for (const each of [...(await groupPaths(id)), join(memoryRoot, id)]) await removeGroup(each)
}
