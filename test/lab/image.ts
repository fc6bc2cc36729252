/**
 * The container images of the lab: real PostgreSQL 16 and Redis 7 under the tags of production, with a shell and the
 * usual small tools as in the vendors' Alpine images. They are not the vendors' images, and say so: label lab=true.
 */
import { chmod, cp, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { demand } from './execution.ts'
import { type ImageSettings, packImage } from './image-archive.ts'
import { buildOnce, recipeKey } from './keyed-folder.ts'
import { readPins } from './pin.ts'
import { ensurePostgresFiles, postgresWheel } from './postgres-wheel.ts'
import { cachePath } from './setting.ts'

/** A change of how trees are made gets a new number, so that nobody keeps an old image. */
const edition = 1
const debianPackages = ['busybox-static', 'libc6', 'zlib1g', 'redis-server', 'redis-tools']
const loader = 'lib64/ld-linux-x86-64.so.2'
/** PostgreSQL's next major version: Debian 13's, with the files of its time zones. */
const nextPackages = ['busybox-static', 'libc6', 'zlib1g', 'postgresql-17', 'postgresql-client-17', 'tzdata']
const nextReference = 'postgres:17.12-alpine'
const libraryFolders = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu']

/** Debian 12's packages, unpacked and not installed: its Redis is 7.0, Debian 13's is 8. */
export function ensureDebianFiles(): Promise<string> {
  return buildOnce(cachePath('trees', `image-files-${recipeKey(debianPackages)}`), async (target) => {
    await demand(['mmdebstrap', '--variant=extract', `--include=${debianPackages.join(',')}`, 'bookworm', target])
  })
}

/** Copies the shared libraries that the programs need, as their loader finds them among Debian's files. */
export async function copyLibraries(files: string, programs: readonly string[], tree: string, usr = ''): Promise<void> {
  const folders = libraryFolders.map((folder) => join(files, folder)).join(':')
  await mkdir(join(tree, 'lib64'), { recursive: true })
  await demand(['cp', '-L', join(files, usr, loader), join(tree, loader)])
  for (const program of programs) {
    const listed = await demand([
      join(files, usr, loader),
      '--inhibit-cache',
      '--library-path',
      folders,
      '--list',
      program,
    ])
    for (const [, path = ''] of listed.matchAll(/=> (\S+)/g)) {
      if (!path.startsWith(`${files}/`)) continue
      const place = join(tree, path.slice(files.length))
      await mkdir(dirname(place), { recursive: true })
      await demand(['cp', '-L', path, place])
    }
  }
}

type Account = Readonly<{ name: string; uid: number; gid: number; home: string }>

/** Lays out what every image has: a shell and small tools, accounts, and the usual folders. */
export async function layOutBase(files: string, account: Account, tree: string, usr = ''): Promise<void> {
  const folders = [
    'bin',
    'sbin',
    'usr/bin',
    'usr/sbin',
    'usr/local/bin',
    'etc',
    'tmp',
    'run',
    'proc',
    'sys',
    'dev',
    'root',
    'var/tmp',
  ]
  for (const folder of folders) await mkdir(join(tree, folder), { recursive: true })
  for (const folder of ['tmp', 'var/tmp']) await chmod(join(tree, folder), 0o1777)
  await chmod(join(tree, 'root'), 0o700)
  await symlink('/run', join(tree, 'var/run'))
  await cp(join(files, usr, 'bin/busybox'), join(tree, 'bin/busybox'))
  const tools = (await demand([join(tree, 'bin/busybox'), '--list']))
    .split('\n')
    .filter((tool) => tool && tool !== 'busybox')
  for (const tool of tools) await symlink('/bin/busybox', join(tree, 'bin', tool))
  const { name, uid, gid, home } = account
  await writeFile(join(tree, 'etc/passwd'), `root:x:0:0:root:/root:/bin/sh\n${name}:x:${uid}:${gid}::${home}:/bin/sh\n`)
  await writeFile(join(tree, 'etc/group'), `root:x:0:\n${name}:x:${gid}:\n`)
  await writeFile(join(tree, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n')
  await mkdir(join(tree, home), { recursive: true })
  await demand(['chown', `${uid}:${gid}`, join(tree, home)])
}

async function layOutPostgres(tree: string): Promise<void> {
  const [files, postgres] = await Promise.all([ensureDebianFiles(), ensurePostgresFiles()])
  await layOutBase(files, { name: 'postgres', uid: 70, gid: 70, home: '/var/lib/postgresql' }, tree)
  const home = join(tree, 'usr/local/lib/pgserver')
  await mkdir(home, { recursive: true })
  await demand(['cp', '-r', join(postgres, 'pgserver/pginstall'), home])
  await demand(['cp', '-r', join(postgres, 'pgserver.libs'), dirname(home)])
  const spare =
    'rm -rf include lib/*.a lib/*ecpg* lib/pkgconfig lib/postgresql/pgxs bin/ecpg && chmod 755 bin/* && ls bin'
  const programs = (await demand(['sh', '-c', spare], { cwd: join(home, 'pginstall') })).trim().split('\n')
  for (const program of programs) {
    await symlink(`/usr/local/lib/pgserver/pginstall/bin/${program}`, join(tree, 'usr/local/bin', program))
  }
  await copyLibraries(
    files,
    programs.map((program) => join(home, 'pginstall/bin', program)),
    tree,
  )
  for (const folder of ['var/lib/postgresql/data', 'run/postgresql']) {
    await mkdir(join(tree, folder), { recursive: true })
    await demand(['chown', '70:70', join(tree, folder)])
  }
}

/** Debian's own places are kept: the programs find their files from where they are. */
async function layOutNextPostgres(tree: string): Promise<void> {
  const files = `${tree}.files`
  await demand(['mmdebstrap', '--variant=extract', `--include=${nextPackages.join(',')}`, 'trixie', files])
  await layOutBase(files, { name: 'postgres', uid: 70, gid: 70, home: '/var/lib/postgresql' }, tree, 'usr')
  const [home, share] = ['usr/lib/postgresql/17', 'usr/share/postgresql/17']
  const spare =
    'mkdir -p usr/lib/postgresql usr/share/postgresql && cp -r "$1/$2" "$2" && cp -r "$1/$3" "$3" && cp -r "$1/usr/share/zoneinfo" usr/share/ && rm -rf "$2"/lib/bitcode "$2"/lib/llvmjit* "$2"/lib/pgxs && ls "$2/bin"'
  const listed = await demand(['sh', '-c', spare, 'sh', files, home, share], { cwd: tree })
  const programs = listed.trim().split('\n')
  for (const program of programs) await symlink(`/${home}/bin/${program}`, join(tree, 'usr/local/bin', program))
  await copyLibraries(
    files,
    programs.map((program) => join(files, home, 'bin', program)),
    tree,
    'usr',
  )
  for (const folder of ['var/lib/postgresql/data', 'run/postgresql']) {
    await mkdir(join(tree, folder), { recursive: true })
    await demand(['chown', '70:70', join(tree, folder)])
  }
  await rm(files, { recursive: true, force: true })
}

async function layOutRedis(tree: string): Promise<void> {
  const files = await ensureDebianFiles()
  await layOutBase(files, { name: 'redis', uid: 999, gid: 1000, home: '/data' }, tree)
  const programs = ['redis-server', 'redis-cli', 'redis-benchmark']
  for (const program of programs) {
    await demand(['cp', '-L', join(files, 'usr/bin', program), join(tree, 'usr/local/bin', program)])
  }
  await copyLibraries(
    files,
    programs.map((program) => join(files, 'usr/bin', program)),
    tree,
  )
}

/** How an image's files are laid out, and how its containers start. */
export type Image = Readonly<{ layOut: (tree: string) => Promise<void>; settings: ImageSettings }>

const postgresSettings: ImageSettings = {
  command: ['postgres'],
  volume: '/var/lib/postgresql/data',
  workingFolder: '/',
  stopSignal: 'SIGINT',
  environment: ['PGDATA=/var/lib/postgresql/data'],
}

const images = {
  postgres: { layOut: layOutPostgres, settings: postgresSettings },
  redis: { layOut: layOutRedis, settings: { command: ['redis-server'], volume: '/data', workingFolder: '/data' } },
} satisfies Readonly<Record<string, Image>>

/** The images' names. */
export const imageNames = Object.keys(images) as readonly (keyof typeof images)[]

/** Gives the path of an image's archive, `images/NAME.tar` in the cache, made first where it is missing or outdated. */
export async function ensureImage(name: keyof typeof images): Promise<string> {
  const { layOut, settings }: Image = images[name]
  const reference = (await readPins()).images[name]?.reference.split('@')[0]
  if (reference === undefined) throw new Error(`versions.yaml pins no image called ${name}`)
  const key = recipeKey({ edition, debianPackages, wheel: postgresWheel, reference, settings })
  const path = await packOnce(`${name}-${key}.tar`, reference, { layOut, settings })
  const link = cachePath('images', `${name}.tar`)
  await rm(`${link}.new`, { force: true })
  await symlink(`${name}-${key}.tar`, `${link}.new`)
  await rename(`${link}.new`, link)
  return path
}

/** Gives the reference of PostgreSQL's next major version, and the path of its image's archive. No release pins it yet. */
export async function ensureNextPostgres(): Promise<Readonly<{ reference: string; path: string }>> {
  const key = recipeKey({ edition, nextPackages, nextReference, settings: postgresSettings })
  const image = { layOut: layOutNextPostgres, settings: postgresSettings }
  return { reference: nextReference, path: await packOnce(`next-postgres-${key}.tar`, nextReference, image) }
}

/** Packs an image once as `images/FILE` in the cache. */
export function packOnce(file: string, reference: string, { layOut, settings }: Image): Promise<string> {
  return buildOnce(cachePath('images', file), async (target) => {
    const [tree, work] = [`${target}.tree`, `${target}.work`]
    await Promise.all([rm(tree, { recursive: true, force: true }), rm(work, { recursive: true, force: true })])
    await layOut(tree)
    await packImage(tree, reference, settings, work, target)
    await rm(tree, { recursive: true, force: true })
  })
}
