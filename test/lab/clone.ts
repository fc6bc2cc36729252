/** A clone of this repository, and files that it is tried with, on a machine. Needs: git. */
import { copyFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { demand } from './execution.ts'
import type { Machine } from './machine.ts'
import { rootPath } from './root.ts'

/** The authorities that this host believes: the way to package registries may be under one of the workplace's own. */
export const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'

const ROOT = join(import.meta.dirname, '../..')

/** Copies a file of this host to a path on the machine. */
export async function layFile(machine: Pick<Machine, 'name'>, from: string, to: string): Promise<void> {
  const target = join(rootPath(machine.name), to)
  await mkdir(dirname(target), { recursive: true })
  await copyFile(from, target)
}

/** Copies the clone to a folder of this host that is not there yet: what git tracks, and what is not committed yet. */
export async function copyClone(target: string): Promise<void> {
  const files = 'git ls-files --cached --others --exclude-standard | while read -r f; do [ -e "$f" ] && echo "$f"; done'
  await mkdir(target)
  await demand(['sh', '-c', `${files} | tar -cf - -T - | tar -xf - --no-same-owner -C "$1"`, 'sh', target], {
    cwd: ROOT,
  })
}

/** Lays the clone at a path on the machine. */
export const layClone = (machine: Pick<Machine, 'name'>, path: string): Promise<void> =>
  copyClone(join(rootPath(machine.name), path))

/** Changes a text in each place of a file. Throws where the file lacks it: the test would try something else than it says. */
export async function editFile(path: string, from: string, to: string): Promise<void> {
  const text = await readFile(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${path} lacks ${from}`)
  await writeFile(path, text.replaceAll(from, to))
}

/** Copies this clone below a folder, with its packages, and changes the copy: another release. Gives its root. */
export async function cloneWith(
  folder: string,
  name: string,
  change: (root: string) => Promise<unknown>,
): Promise<string> {
  const root = join(folder, name)
  await copyClone(root)
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  await change(root)
  return root
}
