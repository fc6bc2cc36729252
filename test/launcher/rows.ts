/** What must hold of the launcher under any POSIX shell. */
import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Ended, type Shell, sha256, World } from './world.ts'

const started = ({ code, stdout, stderr }: Ended, ...words: readonly string[]): void => {
  assert.equal(code, 0, stderr)
  assert.equal(stdout, `${JSON.stringify(words)}\n`)
}

/** Exactly one error, in the shape of all of ours. */
const refused = ({ code, stdout, stderr }: Ended, says: RegExp): void => {
  assert.equal(code, 1, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, says)
  assert.match(stderr, /^tappass: .+\n {2}where: .+\n {2}why: {3}.+\n {2}next: {2}.+\n$/m)
}

const isWhole = (world: World): boolean =>
  readFileSync(join(world.clone, 'node_modules', 'dependency', 'index.js'), 'utf8') === 'console.log("whole")'

const unfit: readonly (readonly [name: string, node: string | undefined])[] = [
  ['absent', undefined],
  ['too old', 'case $1 in -p) echo "20.19.0 false" ;; *) echo v20.19.0 ;; esac'],
  ['too old, and talks', 'echo v18.0.0'],
  ['unable to start', 'echo "error while loading shared libraries: libatomic.so.1" >&2; exit 127'],
  ['without TypeScript', 'echo "26.1.0 false"'],
]

const describeInstalling = (shell: Shell): void => {
  let world: World
  beforeEach(() => {
    world = new World(shell)
  })
  afterEach(() => world.close())

  test('a Node on PATH that fits is used, and npm installs what production needs', async () => {
    world.putNode()
    world.putNpm()
    started(await world.run(['up', '--port', '1 2'], {}), 'up', '--port', '1 2')
    assert.match(world.npmCalls.join('\n'), /^ci .*--ignore-scripts.*--omit=dev$/)
    assert.equal(isWhole(world), true)
    assert.equal(existsSync(world.inState('node')), false)
    assert.deepEqual(world.leftovers, [])
  })

  test('a release on a server runs with the Node beside it, over a link too, and nothing is put into it', async () => {
    const node = join(world.folder, 'node/current/bin')
    mkdirSync(node, { recursive: true })
    mkdirSync(join(world.folder, 'releases'))
    writeFileSync(join(node, 'node'), `#!/bin/sh\nexec ${process.execPath} "$@"\n`, { mode: 0o755 })
    const release = join(world.folder, 'releases/1.0.0-abc')
    renameSync(world.clone, release)
    writeFileSync(join(release, '.manifest'), '')
    symlinkSync(release, join(world.folder, 'current'))
    symlinkSync(join(world.folder, 'current/tappass'), join(world.folder, 'tappass'))
    const before = readdirSync(release)
    started(await world.run(['status'], {}, { file: join(world.folder, 'tappass') }), 'status')
    assert.deepEqual(readdirSync(release), before)
    assert.equal((await world.run(['seven'], {}, { file: join(release, 'tappass') })).code, 7)
  })

  test('the second start installs nothing and needs no network', async () => {
    await world.open({ version: '26.1.0' })
    world.putCurl()
    started(await world.run(['up']), 'up')
    world.take('curl')
    world.requests = []
    const second = await world.run(['up'])
    started(second, 'up')
    assert.deepEqual([second.stderr, world.requests, world.npmCalls.length], ['', [], 1])
  })

  for (const [name, node] of unfit) {
    test(`a Node that is ${name}: the vendor's is fetched`, async () => {
      const [path] = await world.open({ version: '26.1.0' })
      world.putCurl()
      if (node !== undefined) world.putNode(node)
      started(await world.run(['up']), 'up')
      assert.deepEqual(world.requests, [path])
      assert.deepEqual(readdirSync(world.inState('node')), [process.versions.node])
      assert.equal(existsSync(world.inState('node', process.versions.node, 'share')), false)
      assert.equal(isWhole(world), true)
      assert.deepEqual(world.leftovers, [])
    })
  }

  test('npm brings Node where it is there, and the vendor’s site is not asked', async () => {
    await world.open()
    world.pin(world.putPackage('26.1.0'))
    world.putNpm()
    started(await world.run(['up']), 'up')
    assert.match(
      world.npmCalls.join('\n'),
      new RegExp(`^pack --ignore-scripts --loglevel=error node-${world.platform}@26.1.0\nci `),
    )
    assert.deepEqual(world.requests, [])
  })

  test('npm that fails: it says so, and the vendor’s site is asked', async () => {
    await world.open({ version: '26.1.0' })
    const pinned = readFileSync(join(world.clone, 'versions.yaml'), 'utf8')
    writeFileSync(
      join(world.clone, 'versions.yaml'),
      pinned.replace('    archives:', `    packages:\n      ${world.platform}: 00\n    archives:`),
    )
    world.putNpm()
    world.putCurl()
    world.set('npm-fails', true)
    const { code, stderr } = await world.run(['up'])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /npm cannot download[\s\S]*downloading Node 26\.1\.0 from http:[\s\S]*cannot install the dependencies/,
    )
    world.set('npm-fails', false)
    started(await world.run(['up']), 'up')
  })

  test('a library that a pinned Node needs is missing: the next one is taken', async () => {
    const [, next] = await world.open({ version: '26.1.0', needs: 'libnowhere1' }, { version: '24.1.0' })
    world.putCurl()
    const ended = await world.run(['up'])
    started(ended, 'up')
    assert.match(ended.stderr, /Node 26\.1\.0 needs libnowhere1/)
    assert.deepEqual(world.requests, [next])
  })

  test('a pinned Node that does not start: the next one is taken', async () => {
    const paths = await world.open({ version: '26.1.0', kind: 'startsNot' }, { version: '24.1.0' })
    world.putCurl()
    const ended = await world.run(['up'])
    started(ended, 'up')
    assert.match(ended.stderr, /Node 26\.1\.0 does not start on this machine: no libatomic/)
    assert.deepEqual(world.requests, paths)
  })

  test('a fitting Node without npm: the vendor’s npm is fetched, the Node stays', async () => {
    await world.open({ version: '26.1.0' })
    world.putCurl()
    world.putNode()
    started(await world.run(['up']), 'up')
    assert.equal(isWhole(world), true)
  })

  test('address and checksum can be set: an archive, and a folder laid out as the vendor’s', async () => {
    const [path] = await world.open({ version: '26.1.0' })
    const archive = world.site.get(path ?? '') as Buffer
    world.pin(`  - version: 26.1.0\n    archives:\n      ${world.platform}: 00\n`)
    world.site.set('/mine.tar.gz', archive)
    world.site.set(`/mirror${path}`, archive)
    world.putCurl()
    const checksum = { TAPPASS_NODE_SHA256: sha256(archive) }
    started(await world.run(['up'], { ...checksum, TAPPASS_NODE_URL: `${world.address}/mine.tar.gz` }), 'up')
    rmSync(world.inState(), { recursive: true })
    started(await world.run(['up'], { ...checksum, TAPPASS_NODE_URL: `${world.address}/mirror/` }), 'up')
    assert.deepEqual(world.requests, ['/mine.tar.gz', `/mirror${path}`])
  })

  test('test needs development dependencies, which production ones do not stand in for', async () => {
    world.putNode()
    world.putNpm()
    started(await world.run(['up']), 'up')
    started(await world.run(['test']), 'test')
    started(await world.run(['up']), 'up')
    assert.deepEqual(
      world.npmCalls.map((call) => call.includes('--omit=dev')),
      [true, false],
    )
  })

  test('development dependencies that npm installed by hand stay', async () => {
    world.putNode()
    world.putNpm()
    mkdirSync(join(world.clone, 'node_modules'))
    writeFileSync(join(world.clone, 'node_modules/.package-lock.json'), '{"packages":{"a":{"dev": true}}}')
    started(await world.run(['up']), 'up')
    assert.deepEqual(
      world.npmCalls.map((call) => call.includes('--omit=dev')),
      [false],
    )
  })

  test('with development dependencies there, a command that needs none of them looks at the others only', async () => {
    world.putNode()
    world.putNpm()
    const lock = {
      lockfileVersion: 3,
      packages: {
        '': {},
        'node_modules/another': { version: '1.0.0', dev: true },
        'node_modules/dependency': { version: '1.0.0' },
        'node_modules/dependency/node_modules/inner': { version: '1.0.0' },
      },
    }
    writeFileSync(join(world.clone, 'package-lock.json'), JSON.stringify(lock, undefined, 2))
    started(await world.run(['test']), 'test')
    const file = (name: string) => join(world.clone, 'node_modules', name)
    mkdirSync(file('another'))
    started(await world.run(['up']), 'up')
    assert.equal(world.npmCalls.length, 1, 'a development package is of no concern')
    started(await world.run(['test']), 'test')
    assert.equal(world.npmCalls.length, 2, 'but it is to a command that needs it')
    for (const name of ['dependency/index.js', '.package-lock.json']) {
      truncateSync(file(name), 1)
      started(await world.run(['up']), 'up')
      assert.equal(isWhole(world), true)
    }
    mkdirSync(file('dependency/node_modules/inner'), { recursive: true })
    started(await world.run(['up']), 'up')
    assert.equal(existsSync(file('dependency/node_modules')), false)
    assert.equal(world.npmCalls.length, 5)
  })

  for (const words of [['--help'], ['up', '--help'], ['completion', 'bash'], ['version'], []]) {
    test(`nothing is installed for: ${words.join(' ') || '(nothing)'}`, async () => {
      world.putNode()
      started(await world.run(words), ...words)
      assert.equal(existsSync(join(world.clone, 'node_modules')), false)
    })
  }

  test('is reached over links, passes exit codes on', async () => {
    world.putNode()
    world.putNpm()
    symlinkSync('a clone/tappass', join(world.folder, 'first'))
    symlinkSync(join(world.folder, 'first'), join(world.folder, 'second'))
    const { code, stdout } = await world.run(['seven'], {}, { file: join(world.folder, 'second') })
    assert.deepEqual([code, stdout], [7, '["seven"]\n'])
  })
}

const describeRefusals = (shell: Shell): void => {
  let world: World
  beforeEach(() => {
    world = new World(shell)
  })
  afterEach(() => world.close())

  test('a checksum that differs: nothing is unpacked or left', async () => {
    const [path] = await world.open({ version: '26.1.0' })
    world.site.set(path ?? '', Buffer.from('something else'))
    world.putCurl()
    refused(
      await world.run(['up']),
      /checksum mismatch for Node 26\.1\.0[\s\S]*SHA-256 is [0-9a-f]{64}, expected [0-9a-f]{64}/,
    )
    assert.deepEqual([existsSync(world.inState('node')), world.leftovers], [false, []])
  })

  test('neither curl nor npm', async () => {
    await world.open({ version: '26.1.0' })
    refused(await world.run(['up']), /no suitable node found, and no curl to download one[\s\S]*install curl/)
  })

  test('the site does not have it', async () => {
    const [path] = await world.open({ version: '26.1.0' })
    world.site.delete(path ?? '')
    world.putCurl()
    refused(await world.run(['up']), /404[\s\S]*cannot download Node 26\.1\.0[\s\S]*https_proxy/)
  })

  test('no site', async () => {
    await world.open({ version: '26.1.0' })
    world.putCurl()
    refused(await world.run(['up'], { TAPPASS_NODE_URL: 'http://127.0.0.1:9' }), /cannot download Node 26\.1\.0/)
  })

  test('what is no archive', async () => {
    const [path] = await world.open({ version: '26.1.0' })
    const bytes = Buffer.from('no archive')
    world.site.set(path ?? '', bytes)
    world.putCurl()
    refused(await world.run(['up'], { TAPPASS_NODE_SHA256: sha256(bytes) }), /cannot unpack Node[\s\S]*MB free/)
    assert.deepEqual(world.leftovers, [])
  })

  test('none starts', async () => {
    await world.open({ version: '26.1.0', kind: 'startsNot' }, { version: '24.1.0', kind: 'startsNot' })
    world.putCurl()
    refused(await world.run(['up']), /no pinned Node starts on this machine[\s\S]*tried: 26\.1\.0 24\.1\.0/)
  })

  test('a machine for which nothing is pinned', async () => {
    await world.open({ version: '26.1.0' })
    world.pin('  - version: 26.1.0\n    archives:\n      plan9-mips: 00\n')
    world.putCurl()
    refused(await world.run(['up']), /no Node is pinned for this platform/)
  })

  test('npm fails; the next start puts it right', async () => {
    world.putNode()
    world.putNpm()
    world.set('npm-fails', true)
    refused(await world.run(['up']), /the registry is on fire[\s\S]*cannot install the dependencies/)
    assert.deepEqual(world.leftovers, [])
    world.set('npm-fails', false)
    started(await world.run(['up']), 'up')
  })

  test('too little room', async () => {
    world.putNode()
    world.putNpm()
    world.take('df')
    writeFileSync(
      join(world.bin, 'df'),
      '#!/bin/sh\nprintf "Filesystem 1024-blocks Used Available Capacity Mounted\\n/dev/x 1 1 20480 1%% /\\n"\n',
      { mode: 0o755 },
    )
    refused(await world.run(['up']), /not enough disk space[\s\S]*20 MB free, 300 MB needed/)
  })

  test('a folder that is not ours to write', async () => {
    world.putNode()
    world.putNpm()
    const isRoot = process.getuid?.() === 0
    if (!isRoot) mkdirSync(world.inState(), { mode: 0o500 })
    refused(await world.run(['up'], {}, isRoot ? { uid: 65534 } : {}), /the folder is not writable/)
  })
}

const describeRepairs = (shell: Shell): void => {
  let world: World
  beforeEach(() => {
    world = new World(shell)
  })
  afterEach(() => world.close())

  /** What befalls an installation, after which the next start must be as good as the first. */
  const damages: readonly (readonly [name: string, damage: (world: World) => void])[] = [
    ['a file of a dependency is gone', ({ clone }) => rmSync(join(clone, 'node_modules/dependency/index.js'))],
    [
      'a file of a dependency is cut off',
      ({ clone }) => truncateSync(join(clone, 'node_modules/dependency/index.js'), 3),
    ],
    [
      'a file came to the dependencies',
      ({ clone }) => writeFileSync(join(clone, 'node_modules/dependency/more.js'), ''),
    ],
    ['all dependencies are gone', ({ clone }) => rmSync(join(clone, 'node_modules'), { recursive: true })],
    [
      'the lock file changed',
      ({ clone }) => writeFileSync(join(clone, 'package-lock.json'), '{"lockfileVersion":3,"x":1}'),
    ],
    ['the marker is gone', (world) => rmSync(world.inState('installed'))],
    ['the marker is empty', (world) => writeFileSync(world.inState('installed'), '')],
    ['npm’s own mark is gone', ({ clone }) => rmSync(join(clone, 'node_modules/.package-lock.json'))],
    ['Node is cut off', (world) => truncateSync(world.inState('node', process.versions.node, 'bin/node'), 12)],
    ['Node’s marker is gone', (world) => rmSync(world.inState('node', process.versions.node, '.installed'))],
    [
      'a file of Node’s npm is gone',
      (world) => rmSync(world.inState('node', process.versions.node, 'lib/node_modules/npm/bin/npm-cli.js')),
    ],
    ['all of it is gone', (world) => rmSync(world.inState(), { recursive: true })],
    [
      'a dead launcher’s lock and work lie there',
      (world) => {
        writeFileSync(world.inState('lock'), '999999999 1\n')
        writeFileSync(world.inState('lock.999999999'), '999999999 1\n')
        mkdirSync(world.inState('work.999999999', 'fresh'), { recursive: true })
        rmSync(world.inState('installed'))
      },
    ],
    [
      'a lock of a process with the same number lies there',
      (world) => {
        writeFileSync(world.inState('lock'), `${process.pid} 1\n`)
        rmSync(world.inState('installed'))
      },
    ],
  ]
  for (const [name, damage] of damages) {
    test(name, async () => {
      await world.open({ version: '26.1.0' })
      world.putCurl()
      started(await world.run(['up']), 'up')
      damage(world)
      started(await world.run(['up']), 'up')
      assert.equal(isWhole(world), true)
      assert.equal(existsSync(join(world.clone, 'node_modules/dependency/more.js')), false)
      assert.deepEqual(world.leftovers, [])
    })
  }

  test('two at once: one installs, the other waits for it', async () => {
    world.putNode()
    world.putNpm()
    world.set('npm-hangs', true)
    const launchers = [world.start(['up', '1']), world.start(['up', '2'])]
    while (!launchers.some(({ stderr }) => stderr().includes('waiting for it'))) await pause(20)
    world.set('npm-hangs', false)
    const both = await Promise.all(launchers.map(({ ended }) => ended))
    started(both[0] as Ended, 'up', '1')
    started(both[1] as Ended, 'up', '2')
    assert.equal(world.npmCalls.length, 1)
    assert.match(
      `${both[0]?.stderr}${both[1]?.stderr}`,
      /another tappass \(process \d+\) is installing; waiting for it/,
    )
    assert.deepEqual(world.leftovers, [])
  })

  test('Ctrl-C during a download leaves nothing', async () => {
    const [path] = await world.open({ version: '26.1.0' })
    world.site.set(path ?? '', 'hang')
    world.putCurl()
    const launcher = world.start(['up'])
    while (world.requests.length === 0) await pause(20)
    process.kill(-launcher.pid, 'SIGINT')
    assert.equal((await launcher.ended).code, 130)
    assert.deepEqual(world.leftovers, [])
  })

  test(`killed at ${shell.killPoints} points of an installation: the next start ends in the same state`, async () => {
    await world.open({ version: '26.1.0' })
    world.putCurl()
    const pidFile = join(world.folder, 'pid')
    const install = async (killAt: number): Promise<void> => {
      world.killAtCall(killAt)
      const launcher = world.start(['up'])
      writeFileSync(pidFile, String(launcher.pid))
      await launcher.ended
    }
    await install(-1)
    const calls = world.callCount
    assert.equal(calls > 40, true, `only ${calls} programs were called`)
    const points = Array.from(
      { length: shell.killPoints },
      (_, index) => 1 + Math.floor((index * (calls - 1)) / shell.killPoints),
    )
    for (const point of points) {
      rmSync(world.inState(), { recursive: true, force: true })
      rmSync(join(world.clone, 'node_modules'), { recursive: true, force: true })
      await install(point)
      world.restoreTools()
      started(await world.run(['up']), 'up')
      assert.equal(isWhole(world), true, `point ${point}`)
      const again = await world.run(['up'])
      assert.deepEqual([again.stderr, world.leftovers], ['', []], `point ${point}`)
      assert.equal(statSync(join(world.clone, 'node_modules')).isDirectory(), true)
    }
  })
}

/** Describes the launcher as run by one shell. */
export const describeLauncher = (shell: Shell): void => {
  describe(`launcher under ${shell.name}: installing`, () => describeInstalling(shell))
  describe(`launcher under ${shell.name}: one clear error`, () => describeRefusals(shell))
  describe(`launcher under ${shell.name}: repairs`, () => describeRepairs(shell))
}
