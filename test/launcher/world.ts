/**
 * A small world for the launcher: a clone with the real launcher and a command line of one line, a PATH with nothing in
 * it but the tools named, a vendor's site on loopback, and an npm that installs one package. Programs are real shells.
 * Needs: curl.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const repository = join(import.meta.dirname, '..', '..')

/** What a bare Linux machine has; the launcher may use nothing else. */
export const tools =
  'awk cat chown cp cut df gzip id ln ls mkdir mv readlink rm sha256sum sh sleep tail tar tr uname'.split(' ')

/**
 * How the shell is started, which program serves as every tool (busybox; undefined for the machine's own), and at how
 * many points of an installation it is killed.
 */
export type Shell = Readonly<{ name: string; argv: readonly string[]; tool?: string; killPoints: number }>

const findProgram = (name: string): string => {
  const found = (process.env['PATH'] ?? '')
    .split(':')
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
  if (found === undefined) throw new Error(`${name} is not on PATH`)
  return found
}

const script = (path: string, text: string): void => {
  rmSync(path, { force: true })
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
}

/** An npm that knows `--version`, `ci` and `pack`, and does what the files `npm-fails` and `npm-hangs` beside it say. */
const npmProgram = (folder: string): string => `
const { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } = require('node:fs')
const [verb, ...rest] = process.argv.slice(2)
const has = (name) => existsSync('${folder}/' + name)
const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
if (verb === '--version') { console.log('11.0.0'); process.exit() }
appendFileSync('${folder}/npm.log', [verb, ...rest].join(' ') + '\\n')
if (has('npm-fails')) { console.error('npm error the registry is on fire'); process.exit(1) }
if (verb === 'pack') { copyFileSync('${folder}/package.tgz', 'node-package.tgz'); process.exit() }
mkdirSync('node_modules/dependency', { recursive: true })
writeFileSync('node_modules/dependency/index.js', '// half')
while (has('npm-hangs')) wait(20)
writeFileSync('node_modules/dependency/index.js', 'console.log("whole")')
writeFileSync('node_modules/.package-lock.json', '{}')
`

/** What an archive holds. `startsNot` has a node that can't start, `bare` no npm. */
type Archive = 'whole' | 'startsNot' | 'bare'

const makeArchive = (folder: string, top: string, kind: Archive, npmFolder: string): Buffer => {
  const work = mkdtempSync(join(folder, 'archive-'))
  mkdirSync(join(work, top, 'bin'), { recursive: true })
  const starts = `exec ${process.execPath} "$@"`
  script(join(work, top, 'bin', 'node'), kind === 'startsNot' ? 'echo "no libatomic.so.1" >&2\nexit 127' : starts)
  if (kind !== 'bare') {
    const npm = join(work, top, 'lib', 'node_modules', 'npm', 'bin')
    mkdirSync(npm, { recursive: true })
    writeFileSync(join(npm, 'npm-cli.js'), npmProgram(npmFolder))
  }
  mkdirSync(join(work, top, 'share'))
  const { status, stderr } = spawnSync('tar', ['-czf', join(work, 'a.tgz'), '-C', work, top])
  if (status !== 0) throw new Error(String(stderr))
  return readFileSync(join(work, 'a.tgz'))
}

/** What the launcher left behind or said. */
export type Ended = Readonly<{ code: number | null; stdout: string; stderr: string }>

/** One world; see the members' own words. */
export class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'tappass-launcher-'))
  readonly clone = join(this.folder, 'a clone')
  readonly bin = join(this.folder, 'bin')
  readonly shell: Shell
  readonly platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64'
  /** What the site serves by path; `hang` sends half of it and waits. */
  readonly site = new Map<string, Buffer | 'hang'>()
  requests: string[] = []
  private readonly server = createServer((request, response) => {
    this.requests.push(request.url ?? '')
    const body = this.site.get(request.url ?? '')
    if (body === undefined) response.writeHead(404).end()
    else if (body === 'hang') response.writeHead(200, { 'content-length': '1000000' }).write('half')
    else response.end(body)
  })

  constructor(shell: Shell) {
    this.shell = shell
    chmodSync(this.folder, 0o755)
    mkdirSync(this.bin)
    mkdirSync(join(this.clone, 'scripts'), { recursive: true })
    for (const file of ['tappass', 'scripts/install.sh']) copyFileSync(join(repository, file), join(this.clone, file))
    writeFileSync(join(this.clone, 'package.json'), '{"name":"x","type":"module"}')
    writeFileSync(join(this.clone, 'package-lock.json'), '{"lockfileVersion":3}')
    writeFileSync(
      join(this.clone, 'scripts', 'cli.ts'),
      'const words: readonly string[] = process.argv.slice(2)\nconsole.log(JSON.stringify(words))\nprocess.exit(words[0] === "seven" ? 7 : 0)\n',
    )
    for (const tool of tools) symlinkSync(shell.tool ?? findProgram(tool), join(this.bin, tool))
  }

  /** Opens the site and pins what it serves, in this order; gives each archive's path on it. */
  async open(
    ...archives: readonly Readonly<{ version: string; kind?: Archive; needs?: string }>[]
  ): Promise<readonly string[]> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    const paths = archives.map(({ version }) => `/v${version}/node-v${version}-${this.platform}.tar.gz`)
    const rows = archives.map(({ version, kind = 'whole', needs }, index) => {
      const archive = makeArchive(this.folder, `node-v${version}-${this.platform}`, kind, this.folder)
      this.site.set(paths[index] ?? '', archive)
      const need = needs === undefined ? '' : `\n    needs: ${needs} # a library`
      return `  - version: ${version}${need}\n    archives: # the vendor's\n      ${this.platform}: ${sha256(archive)}\n`
    })
    this.pin(rows.join(''))
    return paths
  }

  /** Writes versions.yaml. */
  pin(rows: string): void {
    writeFileSync(
      join(this.clone, 'versions.yaml'),
      `# versions\nnode:\n${rows}node-download: ${this.address}\n\nother:\n  version: 1.0.0\n`,
    )
  }

  get address(): string {
    const address = this.server.address()
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  }

  /** Puts a Node on PATH: this one, or a script. */
  putNode(text = `exec ${process.execPath} "$@"`): void {
    script(join(this.bin, 'node'), text)
  }

  /** Puts an npm on PATH, and what `npm pack` brings. */
  putNpm(): void {
    writeFileSync(join(this.folder, 'npm.js'), npmProgram(this.folder))
    script(join(this.bin, 'npm'), `exec ${process.execPath} ${join(this.folder, 'npm.js')} "$@"`)
  }

  putPackage(version: string): string {
    const archive = makeArchive(this.folder, 'package', 'bare', this.folder)
    writeFileSync(join(this.folder, 'package.tgz'), archive)
    return `  - version: ${version}\n    packages:\n      ${this.platform}: ${sha256(archive)}\n`
  }

  putCurl(): void {
    symlinkSync(findProgram('curl'), join(this.bin, 'curl'))
  }

  take(...names: readonly string[]): void {
    for (const name of names) rmSync(join(this.bin, name), { force: true })
  }

  set(name: string, isSet: boolean): void {
    if (isSet) appendFileSync(join(this.folder, name), '')
    else rmSync(join(this.folder, name), { force: true })
  }

  /** The lines of what npm was asked for. */
  get npmCalls(): readonly string[] {
    const path = join(this.folder, 'npm.log')
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
  }

  inState(...path: readonly string[]): string {
    return join(this.clone, '.tappass', ...path)
  }

  /** What lies in .tappass besides what belongs there. */
  get leftovers(): readonly string[] {
    return existsSync(this.inState())
      ? readdirSync(this.inState()).filter((name) => !['cache', 'node', 'installed'].includes(name))
      : []
  }

  /** Starts the launcher with nothing but this PATH; `pid` is the launcher's own. */
  start(
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    options: Readonly<{ uid?: number; file?: string }> = {},
  ) {
    const [program, ...rest] = [...this.shell.argv, options.file ?? join(this.clone, 'tappass'), ...words] as [
      string,
      ...string[],
    ]
    const child = spawn(program, rest, {
      env: { PATH: this.bin, HOME: this.folder, ...environment },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    })
    const texts = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => (texts[0] += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (texts[1] += text))
    const ended: Promise<Ended> = once(child, 'close').then(([code]) => {
      return { code: code as number | null, stdout: texts[0] ?? '', stderr: texts[1] ?? '' }
    })
    return { pid: child.pid ?? 0, ended, stderr: () => texts[1] ?? '' }
  }

  async run(
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    options: Readonly<{ uid?: number; file?: string }> = {},
  ): Promise<Ended> {
    return await this.start(words, environment, options).ended
  }

  /** Makes every tool of PATH count its calls, and the one with this number kill the launcher whose number is in `pid`. */
  killAtCall(number: number): void {
    const count = join(this.folder, 'count')
    writeFileSync(count, '')
    for (const tool of tools) {
      const real = this.shell.tool === undefined ? findProgram(tool) : `${this.shell.tool} ${tool}`
      script(
        join(this.bin, tool),
        `echo >>${count}\n[ "$(/usr/bin/wc -l <${count})" != ${number} ] || kill -9 "$(/bin/cat ${join(this.folder, 'pid')})"\nexec ${real} "$@"`,
      )
    }
  }

  get callCount(): number {
    return readFileSync(join(this.folder, 'count'), 'utf8').length
  }

  restoreTools(): void {
    for (const tool of tools) {
      rmSync(join(this.bin, tool), { force: true })
      symlinkSync(this.shell.tool ?? findProgram(tool), join(this.bin, tool))
    }
  }

  close(): void {
    this.server.close()
    this.server.closeAllConnections()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** In lower-case hex. */
export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** Where a program is on the test's own PATH. */
export const locate = (name: string): string => join(dirname(findProgram(name)), name)
