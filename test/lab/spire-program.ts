/**
 * SPIRE's server and agent, and their archive. They are built of SPIRE's own sources, of which one thing is left out: the built-in plugins for
 * clouds, Kubernetes and other stores of keys, whose libraries are most of what would have to be compiled.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packGzip } from './archive.ts'
import { demand } from './execution.ts'
import { buildOnce } from './keyed-folder.ts'
import { readPins } from './pin.ts'
import { pointAt, withWork } from './program.ts'
import { cachePath } from './setting.ts'

const LEFT_OUT = /aws|azure|gcp|gcs|k8s|vault|certmanager|ejbca|tpmdevid/

/** The lists of built-in plugins, below `pkg`. */
const CATALOGS = [
  ...['bundlepublisher', 'keymanager', 'nodeattestor', 'notifier', 'upstreamauthority'].map(
    (name) => `server/catalog/${name}.go`,
  ),
  ...['nodeattestor', 'svidstore', 'workloadattestor'].map((name) => `agent/catalog/${name}.go`),
]

/** Gives a list of built-in plugins without those that are left out: their imports, and where they are named. */
export function withoutClouds(source: string): string {
  const names = [...source.matchAll(/^\t(?:(\w+) )?"github\.com\/spiffe\/spire\/pkg\/\w+\/plugin\/\w+\/(\w+)"\n/gm)]
  const gone = names.filter(([, , folder = '']) => LEFT_OUT.test(folder))
  return gone.reduce(
    (text, [line, alias, folder]) =>
      text.replace(line, '').replace(new RegExp(`^\\t+${alias ?? folder}\\.BuiltIn\\(\\),\\n`, 'm'), ''),
    source,
  )
}

async function buildSpire(version: string, target: string): Promise<void> {
  const module = await demand(['go', 'mod', 'download', '-json', `github.com/spiffe/spire@v${version}`], { cwd: '/' })
  const { Dir: source } = JSON.parse(module) as { Dir: string }
  await withWork(target, async (folder) => {
    const clone = join(folder, 'spire')
    await demand(['cp', '-r', '--no-preserve=mode', source, clone])
    for (const path of CATALOGS.map((name) => join(clone, 'pkg', name)))
      await writeFile(path, withoutClouds(await readFile(path, 'utf8')))
    // SQLite is C.
    const env = { ...process.env, CGO_ENABLED: '1' }
    const programs = ['./cmd/spire-agent', './cmd/spire-server']
    await demand(['go', 'build', '-trimpath', '-ldflags=-s -w', '-o', `${folder}/`, ...programs], { cwd: clone, env })
    await mkdir(target)
    for (const name of ['spire-agent', 'spire-server']) await rename(join(folder, name), join(target, name))
  })
}

/** Builds SPIRE's agent and server with the Go tools (some minutes the first time); they are `go/spire-agent` and `go/spire-server`, too. */
export async function ensureSpire(): Promise<Readonly<{ agent: string; server: string }>> {
  const { version } = (await readPins()).spire
  const folder = await buildOnce(cachePath('go', `spire-${version}`), (target) => buildSpire(version, target))
  for (const name of ['spire-agent', 'spire-server']) await pointAt(cachePath('go', name), `spire-${version}/${name}`)
  return { agent: join(folder, 'spire-agent'), server: join(folder, 'spire-server') }
}

/** Gives the path of SPIRE's archive. */
export async function ensureSpireArchive(): Promise<string> {
  const { version } = (await readPins()).spire
  return buildOnce(cachePath('programs', `spire-${version}-linux-amd64-musl.tar.gz`), (target) =>
    withWork(target, async (folder) => {
      const { agent, server } = await ensureSpire()
      const top = `spire-${version}`
      await mkdir(join(folder, top, 'bin'), { recursive: true })
      await demand(['cp', agent, server, join(folder, top, 'bin')])
      await packGzip(folder, [top], target)
    }),
  )
}
