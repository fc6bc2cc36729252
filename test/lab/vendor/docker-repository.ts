/**
 * Docker's apt repository as the lab has it: Debian's packages of Docker under the vendor's names, with the vendor's conflicts, signed by
 * a key of the lab's own, laid out as on download.docker.com.
 */
import { createHash } from 'node:crypto'
import { chmod, copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { fileDigest } from '../archive.ts'
import { demand, execute } from '../execution.ts'
import { buildOnce, isPresent, recipeKey } from '../keyed-folder.ts'
import { cachePath } from '../setting.ts'
import { ensureTree } from '../tree.ts'

/** `folder` holds what is below https://download.docker.com/linux/debian; `key` is a file of ASCII armour. */
export type DockerRepository = Readonly<{ folder: string; key: string; fingerprint: string }>

/** A change of how packages are made gets a new number, so that nobody keeps old ones. */
const edition = 1
const suite = 'trixie'

type Package = Readonly<{ parts: readonly string[]; version: string; fields: Readonly<Record<string, string>> }>

/** By the vendor's name: the Debian packages whose files are in it, and the vendor's relations. */
const packages: Readonly<Record<string, Package>> = {
  'containerd.io': {
    parts: ['containerd', 'runc'],
    version: '1.7.24-1',
    fields: {
      Depends: 'libc6 (>= 2.38), libseccomp2 (>= 2.5.0)',
      Provides: 'containerd, runc',
      Conflicts: 'containerd, runc',
      Replaces: 'containerd, runc',
    },
  },
  'docker-ce-cli': {
    parts: ['docker-cli'],
    version: '5:26.1.5-1~debian.13~trixie',
    fields: {
      Depends: 'libc6 (>= 2.34)',
      Conflicts: 'docker (<< 1.5~), docker-cli, docker-engine, docker-engine-cs, docker.io, lxc-docker',
      Replaces: 'docker-cli, docker-engine, docker.io',
    },
  },
  'docker-ce': {
    parts: ['docker.io', 'tini'],
    version: '5:26.1.5-1~debian.13~trixie',
    fields: {
      Depends: 'adduser, containerd.io (>= 1.6.24), docker-ce-cli, iptables, libc6 (>= 2.38), libsystemd0',
      Recommends: 'apparmor, ca-certificates, git, libltdl7, pigz, procps, xz-utils',
      Conflicts: 'docker (<< 1.5~), docker-engine, docker.io, lxc-docker, tini',
      Replaces: 'docker-engine, docker.io',
    },
  },
}

const controlFiles = { conffiles: 0o644, preinst: 0o755, postinst: 0o755, prerm: 0o755, postrm: 0o755 } as const

/** Copies the files of an installed package, without its pages. */
async function copyPart(tree: string, part: string, target: string): Promise<void> {
  const files = (await readFile(join(tree, `var/lib/dpkg/info/${part}.list`), 'utf8'))
    .split('\n')
    .filter((path) => path !== '' && path !== '/.' && !/^\/usr\/share\/(doc|man|lintian)\b/.test(path))
  const list = files.map((path) => `.${path}\n`).join('')
  const copy = 'tar -C "$1" --no-recursion -T - -cf - | tar -xf - -C "$2"'
  await demand(['sh', '-c', copy, 'sh', tree, target], { stdin: list })
}

/** Builds a package, and gives its paragraph for the repository's index. */
async function buildPackage(tree: string, name: string, work: string, pool: string): Promise<string> {
  const { parts, version, fields } = packages[name] as Package
  const folder = join(work, name)
  const control = join(folder, 'DEBIAN')
  await mkdir(control, { recursive: true })
  await chmod(folder, 0o755)
  for (const part of parts) {
    await copyPart(tree, part, folder)
    for (const [file, mode] of Object.entries(controlFiles)) {
      const from = join(tree, `var/lib/dpkg/info/${part}.${file}`)
      if (!(await isPresent(from))) continue
      await copyFile(from, join(control, file))
      await chmod(join(control, file), mode)
    }
  }
  const paragraph = Object.entries({
    ...{ Package: name, Version: version, Architecture: 'amd64', Maintainer: 'TapPass lab <lab@localhost>' },
    ...{ Section: 'admin', Priority: 'optional', ...fields },
    Description: `Debian’s ${parts.join(' and ')} under the vendor’s name, for the TapPass lab`,
  }).map(([key, value]) => `${key}: ${value}\n`)
  await writeFile(join(control, 'control'), paragraph.join(''))
  const file = `${name}_${version.replace(/^\d+:/, '')}_amd64.deb`
  await demand(['dpkg-deb', '--root-owner-group', '-Zgzip', '-z3', '--build', folder, join(pool, file)])
  const { size } = await stat(join(pool, file))
  const place = [`Filename: dists/${suite}/pool/stable/amd64/${file}\n`, `Size: ${size}\n`]
  return [...paragraph, ...place, `SHA256: ${await fileDigest(join(pool, file))}\n`].join('')
}

/** Writes the indexes below dists/SUITE. */
async function writeIndexes(top: string, index: string): Promise<void> {
  const folder = join(top, 'stable/binary-amd64')
  await mkdir(folder, { recursive: true })
  const files = { Packages: Buffer.from(index), 'Packages.gz': gzipSync(index) }
  const sums: string[] = []
  for (const [name, bytes] of Object.entries(files)) {
    await writeFile(join(folder, name), bytes)
    const sum = createHash('sha256').update(bytes).digest('hex')
    sums.push(` ${sum} ${bytes.length} stable/binary-amd64/${name}\n`)
  }
  const head = { Origin: 'Docker', Label: 'Docker CE', Suite: suite, Codename: suite, Date: new Date().toUTCString() }
  const fields = { ...head, Architectures: 'amd64', Components: 'stable' }
  const lines = Object.entries(fields).map(([key, value]) => `${key}: ${value}\n`)
  await writeFile(join(top, 'Release'), [...lines, 'SHA256:\n', ...sums].join(''))
}

/** Signs the index with a key that is thrown away afterwards, and leaves its public half. */
async function signIndexes(top: string, folder: string, home: string): Promise<void> {
  await mkdir(home, { mode: 0o700 })
  const gpg = [
    'gpg',
    '--homedir',
    home,
    '--batch',
    '--quiet',
    '--pinentry-mode',
    'loopback',
    '--passphrase',
    '',
  ] as const
  await demand([...gpg, '--quick-generate-key', 'TapPass lab <lab@localhost>', 'rsa3072', 'sign', 'never'])
  const sign = [...gpg, '--digest-algo', 'SHA512', '--yes'] as const
  await demand([...sign, '--clearsign', '--output', join(top, 'InRelease'), join(top, 'Release')])
  await demand([...gpg, '--armor', '--output', join(folder, 'docker.asc'), '--export'])
  const shown = await demand([...gpg, '--with-colons', '--list-keys'])
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(shown)?.[1]
  if (fingerprint === undefined) throw new Error('gpg shows no fingerprint of the key that it made')
  await writeFile(join(folder, 'fingerprint'), fingerprint)
  await execute(['gpgconf', '--homedir', home, '--kill', 'all'])
}

/** Gives the repository, built first where it is missing (about 10 s). */
export async function ensureDockerRepository(): Promise<DockerRepository> {
  const tree = await ensureTree('docker')
  const path = cachePath('vendors', `docker-${recipeKey({ edition, tree, packages })}`)
  const folder = await buildOnce(path, async (target) => {
    const [work, top] = [`${target}.work`, join(target, 'public/dists', suite)]
    await rm(work, { recursive: true, force: true })
    const pool = join(top, 'pool/stable/amd64')
    await mkdir(pool, { recursive: true })
    const index: string[] = []
    for (const name of Object.keys(packages)) index.push(await buildPackage(tree, name, work, pool))
    await writeIndexes(top, index.join('\n'))
    await signIndexes(top, target, join(work, 'gpg'))
    await copyFile(join(target, 'docker.asc'), join(target, 'public/gpg'))
    await rm(work, { recursive: true, force: true })
  })
  const fingerprint = await readFile(join(folder, 'fingerprint'), 'utf8')
  return { folder: join(folder, 'public'), key: join(folder, 'docker.asc'), fingerprint }
}
