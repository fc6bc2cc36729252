/**
 * The images of what stands in front of the gateway in Compose, where those of the registry can't be pulled: the real Caddy, with a shell and small tools, and the
 * stand-in of cloudflared alone. They are not the vendors', and say so: label lab=true.
 */
import { copyFile, mkdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ensureDebianFiles, layOutBase, packOnce } from './image.ts'
import { recipeKey } from './keyed-folder.ts'
import { readPins } from './pin.ts'
import { ensureGoProgram, ensureTunnelProgram } from './program.ts'

const EDITION = 1
const nobody = { name: 'nonroot', uid: 65532, gid: 65532, home: '/home/nonroot' }

async function layOutCaddy(program: string, tree: string): Promise<void> {
  await layOutBase(await ensureDebianFiles(), nobody, tree)
  await copyFile(program, join(tree, 'usr/bin/caddy'))
}

async function layOutCloudflared(program: string, tree: string): Promise<void> {
  for (const folder of ['usr/local/bin', 'etc', 'tmp', 'proc', 'sys', 'dev'])
    await mkdir(join(tree, folder), { recursive: true })
  await copyFile(program, join(tree, 'usr/local/bin/cloudflared'))
}

/** An image of the lab: its reference, and the path of its archive. */
type LabImage = Readonly<{ reference: string; path: string }>

/** Gives both. */
export async function ensureIngressImages(): Promise<Readonly<Record<'caddy' | 'cloudflared', LabImage>>> {
  const pins = await readPins()
  const [caddy, cloudflared] = await Promise.all([ensureGoProgram('caddy'), ensureTunnelProgram('cloudflared')])
  const pack = async (name: 'caddy' | 'cloudflared', program: string, layOut: typeof layOutCaddy) => {
    const reference = `lab-${name}:${pins[name].version}`
    const settings = { command: [name], workingFolder: '/' }
    const key = recipeKey({ EDITION, reference, settings, program: basename(program) })
    const image = { layOut: (tree: string) => layOut(program, tree), settings }
    return { reference, path: await packOnce(`${name}-${key}.tar`, reference, image) }
  }
  return {
    caddy: await pack('caddy', caddy, layOutCaddy),
    cloudflared: await pack('cloudflared', cloudflared, layOutCloudflared),
  }
}
