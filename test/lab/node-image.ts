/**
 * The two images that the gateway's own is built from, where those of the registry can't be pulled: Node with npm, a shell and small tools; and
 * Node alone, at the place where the vendor's distroless image has it. They are not the vendors', and say so: label lab=true.
 */
import { copyFile, mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { AUTHORITIES } from './clone.ts'
import { demand } from './execution.ts'
import { copyLibraries, layOutBase, packOnce } from './image.ts'
import type { ImageSettings } from './image-archive.ts'
import { recipeKey } from './keyed-folder.ts'
import { readPins } from './pin.ts'
import { ensureNodeArchive } from './program.ts'

const EDITION = 3
const PACKAGES = ['busybox-static', 'libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1']

const nobody = { name: 'nonroot', uid: 65532, gid: 65532, home: '/home/nonroot' }

/** Node below `folder` of the image, with its libraries and what every image of the lab has. */
async function layOut(archive: string, tree: string, folder: string): Promise<void> {
  const files = `${tree}.files`
  await rm(files, { recursive: true, force: true })
  await demand(['mmdebstrap', '--variant=extract', `--include=${PACKAGES.join(',')}`, 'trixie', files])
  await layOutBase(files, nobody, tree, 'usr')
  const home = join(tree, folder)
  await mkdir(home, { recursive: true })
  await demand(['tar', '-xzf', archive, '-C', home, '--strip-components=1', '--no-same-owner'])
  await copyLibraries(files, [join(home, 'bin/node')], tree, 'usr')
  await rm(files, { recursive: true, force: true })
}

/** Builds, with npm and the way to the registry that this host has. */
async function layOutBuild(archive: string, tree: string): Promise<void> {
  await layOut(archive, tree, 'usr/local')
  await symlink('/bin/busybox', join(tree, 'usr/bin/env')) // npm's first line names it
  await mkdir(join(tree, 'etc/ssl/certs'), { recursive: true })
  await copyFile(AUTHORITIES, join(tree, AUTHORITIES))
}

/** Runs, and has neither a shell nor npm. */
async function layOutRuntime(archive: string, tree: string): Promise<void> {
  await layOut(archive, tree, 'nodejs')
  const spare = 'rm -rf bin sbin nodejs/lib nodejs/bin/np* nodejs/share nodejs/include'
  await demand(['sh', '-c', spare], { cwd: tree })
}

/** Gives the references of both images, and the paths of their archives. */
export async function ensureNodeImages(): Promise<
  Readonly<Record<'build' | 'runtime', Readonly<{ reference: string; path: string }>>>
> {
  const pin = (await readPins()).node[0]
  if (pin === undefined) throw new Error('versions.yaml pins no Node')
  const archive = await ensureNodeArchive(pin)
  const settings = (environment: readonly string[]): ImageSettings => ({
    command: ['node'],
    workingFolder: '/',
    environment,
  })
  const pack = async (name: string, layOutTree: (tree: string) => Promise<void>, environment: readonly string[]) => {
    const reference = `lab-${name}:${pin.version}`
    const image = { layOut: layOutTree, settings: settings(environment) }
    const key = recipeKey({ EDITION, PACKAGES, reference, settings: image.settings })
    return { reference, path: await packOnce(`${name}-${key}.tar`, reference, image) }
  }
  return {
    build: await pack('node-build', (tree) => layOutBuild(archive, tree), [`NODE_EXTRA_CA_CERTS=${AUTHORITIES}`]),
    runtime: await pack('node-runtime', (tree) => layOutRuntime(archive, tree), []),
  }
}
