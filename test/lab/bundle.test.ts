/**
 * A server without a network: a bundle is made here, and a bare machine whose packets to anywhere but this host are refused and counted becomes a server from it
 * (`sudo ./bootstrap.sh --bundle`), without the toolkit that it was started by, and is mended from it over SSH, with a transfer that is cut. Bundles that are not for it, or not whole, change nothing. Takes 4 minutes.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { copyFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openBundle } from '../../scripts/bundle/bundle-file.ts'
import type { BundleManifest } from '../../scripts/bundle/bundle-manifest.ts'
import { writeBundle } from '../../scripts/bundle/bundle-writer.ts'
import { fileDigest } from './archive.ts'
import { layClone, layFile } from './clone.ts'
import { demand } from './execution.ts'
import {
  bareServer,
  door,
  hostWords,
  inside,
  machineWords,
  repository,
  type Server,
  toolkit,
  untilHealthy,
  writeSpec,
} from './server.ts'
import { cachePath } from './setting.ts'
import { ensureTree } from './tree.ts'
import { ensureWheelArchive } from './wheel.ts'

/** A bare machine has to be healthy within that; it is printed and not asserted. */
const GOAL_SECONDS = 90

let server: Server
let bundle = ''
let publicKey = ''
let privateKey: KeyObject
let manifest: BundleManifest

const fileOf = (name: string): string => join(server.folder, name)

/** The link of the machine, as this host has it. */
const linkName = (): string => `tpl-${/\.(\d+)\.2$/.exec(server.machine.address)?.[1]}`
const counting = (): string => `tappass_count_${linkName().replace('-', '_')}`

/** What leaves the machine for anywhere but this host, and what would ask this host for names or packages, by where it was to go. */
const countPackets = async (): Promise<void> => {
  const rules = `table inet ${counting()} {
  set seen4 { type ipv4_addr . inet_service; flags dynamic; size 4096; }
  set seen6 { type ipv6_addr; flags dynamic; size 4096; }
  counter outside { }
  chain prerouting { type filter hook prerouting priority raw
    iifname ${linkName()} ip daddr != 10.77.0.0/16 add @seen4 { ip daddr . th dport } counter name outside
    iifname ${linkName()} ip daddr 10.77.0.0/16 meta l4proto { tcp, udp } th dport { 53, 80, 443, 3128 } ct state new counter name outside
    iifname ${linkName()} ip6 daddr != { fd77::/96, fe80::/10, ff00::/8 } add @seen6 { ip6 daddr } counter name outside
  }
}
`
  await demand(['nft', '-f', '-'], { stdin: rules })
}

/** How many packets, and where they were to go. */
const packetsOutside = async (): Promise<Readonly<{ packets: number; seen: string }>> => {
  const counter = await demand(['nft', 'list', 'counter', 'inet', counting(), 'outside'])
  const sets = await Promise.all(
    ['seen4', 'seen6'].map((set) => demand(['nft', 'list', 'set', 'inet', counting(), set])),
  )
  const seen = sets.flatMap((text) => [...text.matchAll(/elements = \{([^}]*)\}/g)].map(([, rows = '']) => rows.trim()))
  return { packets: Number(/packets (\d+)/.exec(counter)?.[1]), seen: seen.join('; ') }
}

const createWords = (out: string): readonly string[] => [
  ...['bundle', 'create', '--platform', 'debian-13-amd64', '--config', server.specPath, '--out', out],
  ...['--key', fileOf('key.pem'), '--apt-sources', fileOf('sources.list'), '--cache', cachePath('bundle')],
]

before(async () => {
  server = await bareServer('proof-bundle', 0, { isAirGapped: true })
  const wheels = await ensureWheelArchive()
  await writeSpec(server, (spec) => ({ ...spec, site: { wheels }, gateway: { upstream: server.upstream.url } }))
  const keys = generateKeyPairSync('ed25519')
  privateKey = keys.privateKey
  publicKey = String(keys.publicKey.export({ type: 'spki', format: 'pem' }))
  await writeFile(fileOf('key.pem'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  await writeFile(fileOf('key.pub'), publicKey)
  await copyFile(join(await ensureTree('bare'), 'etc/apt/sources.list'), fileOf('sources.list'))
  bundle = fileOf('bundle.tar')
  const { code, stderr } = await toolkit(createWords(bundle))
  assert.equal(code, 0, stderr)
  manifest = (await openBundle(bundle, publicKey)).manifest
  await layClone(server.machine, '/root/tappass')
  await layFile(server.machine, bundle, '/root/bundle.tar')
  await layFile(server.machine, fileOf('key.pub'), '/root/key.pub')
  await layFile(server.machine, server.specPath, '/root/host.yaml')
  await inside(server, 'dpkg --purge --force-depends curl')
  await countPackets()
})
after(async () => {
  if (server !== undefined) {
    for (const table of [counting(), `${counting()}_sent`])
      await demand(['nft', 'delete', 'table', 'inet', table]).catch(() => '')
    await server.close()
  }
})

const bootstrapHere = (file = 'bundle.tar'): Promise<string> =>
  inside(
    server,
    `cd /root/tappass; code=0
    ./bootstrap.sh --bundle /root/${file} --bundle-key /root/key.pub --config /root/host.yaml --yes 2>&1 || code=$?; echo "exit $code"`,
  )

const bundleWords = (file: string): readonly string[] => ['--bundle', file, '--bundle-key', fileOf('key.pub')]

/** What a refused bundle must leave as it was: packages, settings, programs, units. */
const stateOfMachine = (): Promise<string> =>
  inside(
    server,
    `dpkg-query -W -f '\${Package} \${Version} \${db:Status-Abbrev}\\n'
    find /etc /opt /usr/local /var/lib /var/cache -xdev -type f -printf '%p %s %T@\\n' | grep -v -e /var/lib/systemd/ -e /var/lib/dpkg/lock | sort`,
  )

/** A small bundle of that manifest, signed as the good one. */
const smallBundle = async (name: string, changes: Partial<BundleManifest>): Promise<string> => {
  const path = fileOf(name)
  await writeBundle(path, { ...manifest, files: [], ...changes }, privateKey, new Map())
  return path
}

test('what is not for this machine, or not whole, is refused with 5 before anything is changed', async () => {
  const state = await stateOfMachine()
  const cut = fileOf('cut.tar')
  await copyFile(bundle, cut)
  await truncate(cut, 1_000_000)
  const rows: readonly (readonly [file: string, said: RegExp])[] = [
    [
      await smallBundle('platform.tar', { platform: 'ubuntu-24.04-amd64' }),
      /it is for ubuntu-24\.04-amd64, and this host is debian-13-amd64/,
    ],
    [
      await smallBundle('release.tar', { release: '0.0.1-000000000000' }),
      /it is of 0\.0\.1-000000000000, and this is /,
    ],
    [await smallBundle('empty.tar', {}), /the bundle has nothing for /],
    [cut, /it was cut off/],
  ]
  for (const [file, said] of rows) {
    const { code, stdout, stderr } = await toolkit(['bootstrap', ...hostWords(server), '--yes', ...bundleWords(file)])
    assert.equal(code, 5, `${file}: ${stdout}${stderr}`)
    assert.match(stderr, said)
  }
  await layFile(server.machine, cut, '/root/cut.tar')
  assert.match(await bootstrapHere('cut.tar'), /\nexit 5$/)
  await inside(server, 'rm /root/cut.tar')
  assert.equal(await stateOfMachine(), state)
})

/** Kills the toolkit that the run was started by, once the run is a unit, and watches that to its end. */
const bootstrapHereKilled = (): Promise<string> =>
  inside(
    server,
    `cd /root/tappass; code=0
    ./bootstrap.sh --bundle /root/bundle.tar --bundle-key /root/key.pub --config /root/host.yaml --yes >/root/said 2>&1 &
    until systemctl is-active --quiet tappass-run.service; do kill -0 $! || { cat /root/said; exit 1; }; sleep 0.1; done
    kill -KILL $(pgrep -f '[s]cripts/cli.ts bootstrap'); wait $! || code=$?; rm /root/said; echo "killed $code"
    code=0; ./tappass attach 2>&1 || code=$?; echo "exit $code"`,
  )

test('sudo ./bootstrap.sh --bundle, the toolkit killed meanwhile: from bare to a healthy gateway that answers a call, and no packet leaves', async (context) => {
  const startMs = Date.now()
  const said = await bootstrapHereKilled()
  assert.match(said, /killed 137\n/, said)
  assert.match(said, /\nexit 0$/, said)
  await untilHealthy(server)
  context.diagnostic(
    `bare to healthy from a bundle: ${((Date.now() - startMs) / 1000).toFixed(1)} s (goal ${GOAL_SECONDS} s)`,
  )
  assert.deepEqual(await packetsOutside(), { packets: 0, seen: '' })
  const through = await door(server)
  try {
    const { client } = await through.agent('offline')
    const messages = [{ role: 'user', content: 'good day' }] as const
    const { choices } = await client.chat.completions.create({ model: 'm', messages: [...messages] })
    assert.ok((choices[0]?.message.content ?? '') !== '')
    assert.equal((await through.fetch(through.url('/docs/'))).status, 200)
  } finally {
    await through.close()
  }
  assert.equal(await inside(server, 'ls -d /var/cache/tappass-packages-* 2>/dev/null || true'), '')
})

/** Counts what is sent to the machine; of more than `bytesMax` nothing gets through. */
const countSent = async (bytesMax = Number.MAX_SAFE_INTEGER): Promise<void> => {
  const rules = `table inet ${counting()}_sent {
  counter sent { }
  quota most { over ${bytesMax} bytes }
  chain output { type filter hook output priority 0
    oifname ${linkName()} counter name sent
    oifname ${linkName()} quota name most drop
  }
}
`
  await demand(['nft', '-f', '-'], { stdin: rules })
}

const sentBytes = async (): Promise<number> =>
  Number(/bytes (\d+)/.exec(await demand(['nft', 'list', 'counter', 'inet', `${counting()}_sent`, 'sent']))?.[1])

const forgetSent = (): Promise<string> => demand(['nft', 'delete', 'table', 'inet', `${counting()}_sent`])

const partOf = (setting: string) =>
  manifest.files.find((file) => file.setting === setting) ?? assert.fail(`no ${setting} in the bundle`)

/** What is sent besides parts of the bundle: questions, job file, what SSH adds. */
const OTHER_BYTES_MAX = 3_000_000

test('a second run changes nothing; over SSH what is missing comes out of the bundle, too, cut and gone on with, and no packet leaves', async () => {
  assert.match(await bootstrapHere(), /\nexit 0$/)
  const settled = await toolkit(['plan', ...machineWords(server), ...bundleWords(bundle), '--json'])
  assert.equal(settled.code, 0, settled.stdout)
  await inside(server, 'dpkg --purge --force-depends libatomic1; rm -rf /opt/tappass/caddy/2*')
  const [packages, caddy] = [partOf('packages.prerequisites'), partOf('caddy')]
  const most = packages.bytes + OTHER_BYTES_MAX + Math.floor(caddy.bytes / 2)
  const words = ['bootstrap', ...machineWords(server), ...bundleWords(bundle), '--yes', '--json']
  await countSent(most)
  const child = spawn(process.execPath, [join(repository, 'scripts/cli.ts'), ...words], { cwd: repository })
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  while ((await sentBytes()) <= most && child.exitCode === null) await pause(100)
  child.kill('SIGKILL')
  assert.equal(await ended, 'SIGKILL', printed)
  assert.match(printed, /install libatomic1/)
  // What was on its way goes with the session.
  await inside(server, "pkill -KILL -f '^sshd.*root@notty' || :")
  await forgetSent()
  const arrived = Number(await inside(server, `stat -c %s /var/lib/tappass-sent/${caddy.sha256}.part`))
  assert.ok(arrived > caddy.bytes / 4, `${arrived} of ${caddy.bytes}`)
  await countSent()
  const mended = await toolkit(words)
  assert.equal(mended.code, 0, mended.stdout + mended.stderr)
  const sent = await sentBytes()
  await forgetSent()
  assert.ok(sent < caddy.bytes - arrived + OTHER_BYTES_MAX, `${sent} sent, ${arrived} of ${caddy.bytes} had arrived`)
  assert.equal(await inside(server, 'ls -A /var/lib/tappass-sent 2>/dev/null || :'), '')
  await untilHealthy(server)
  assert.deepEqual(await packetsOutside(), { packets: 0, seen: '' })
})

test('the counter counts: a packet to elsewhere is seen', async () => {
  await inside(
    server,
    'timeout 2 sh -c "echo >/dev/udp/192.0.2.1/9" 2>/dev/null || bash -c "echo x >/dev/udp/192.0.2.1/9" || true',
  )
  const { packets, seen } = await packetsOutside()
  assert.ok(packets > 0)
  assert.match(seen, /192\.0\.2\.1/)
})

test('the same settings give the same bytes; what was fetched is not fetched again', async () => {
  const second = fileOf('second.tar')
  const { code, stderr } = await toolkit(createWords(second))
  assert.equal(code, 0, stderr)
  assert.equal(await fileDigest(second), await fileDigest(bundle))
  assert.doesNotMatch(stderr, /downloading|pulling/)
  assert.deepEqual(
    (await readdir(server.folder)).filter((name) => name.endsWith('.part')),
    [],
  )
  assert.match(await readFile(fileOf('key.pub'), 'utf8'), /PUBLIC KEY/)
})
