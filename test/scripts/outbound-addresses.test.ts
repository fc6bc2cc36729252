/** The script on a host that finds the addresses of names: what it opens, what it keeps, and what it says. Resolver, clock and nft are stand-ins. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const source = readFileSync(join(import.meta.dirname, '../../scripts/outbound-addresses.sh'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'tappass-outbound-'))
after(() => rmSync(folder, { recursive: true }))

const DAY = 86_400

/** What `getent ahosts` prints of each name, at this time; names that are not there do not resolve. */
type Moment = Readonly<{ at: number; names: Readonly<Record<string, readonly string[]>>; list?: readonly string[] }>

const program = (name: string, lines: string) =>
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })

for (const each of ['bin', 'state', 'etc', 'etc/tappass', 'etc/apt', 'etc/apt/sources.list.d', 'run', 'hosts'])
  mkdirSync(join(folder, each))
program('nft', `case $1 in -f) cat "$2" >"${folder}/loaded" ;; esac`)
program('getent', `cat "${folder}/hosts/$2" 2>/dev/null || exit 2`)
program('date', `cat "${folder}/now"`)
writeFileSync(
  join(folder, 'etc/resolv.conf'),
  'nameserver 127.0.0.53\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\n',
)
writeFileSync(
  join(folder, 'etc/apt/sources.list.d/a.sources'),
  '# https://old.example/\nURIs: https://user:key@apt.example:8443/x http://deb.example/debian\n',
)
const script = source
  .replace('PATH=/usr/sbin', `PATH=${folder}/bin:/usr/sbin`)
  .replaceAll('/etc/', `${folder}/etc/`)
  .replaceAll('/run/', `${folder}/run/`)
writeFileSync(join(folder, 'script'), script)

/** Runs it and returns the elements of each set, and what it printed. */
const refresh = ({ at, names, list = ['tcp 443 a.example', 'udp 53 b.example'] }: Moment) => {
  writeFileSync(join(folder, 'now'), `${at}\n`)
  writeFileSync(join(folder, 'etc/tappass/outbound'), ['# a remark', ...list, ''].join('\n'))
  rmSync(join(folder, 'hosts'), { recursive: true })
  mkdirSync(join(folder, 'hosts'))
  for (const [name, addresses] of Object.entries(names)) {
    const rows = addresses.flatMap((address) => [`${address} STREAM ${name}`, `${address} DGRAM`])
    writeFileSync(join(folder, 'hosts', name), `${rows.join('\n')}\n`)
  }
  const env = { ...process.env, STATE_DIRECTORY: join(folder, 'state') }
  const told = execFileSync('sh', [join(folder, 'script')], { encoding: 'utf8', env })
  const loaded = readFileSync(join(folder, 'loaded'), 'utf8')
  assert.equal(readFileSync(join(folder, 'state/addresses.nft'), 'utf8'), loaded)
  const elements: readonly RegExpExecArray[] = [...loaded.matchAll(/^add element inet tappass (\w+) \{ (.*) \}$/gm)]
  return { told, sets: Object.fromEntries(elements.map(([, set = '', text = '']) => [set, text.split(', ')])) }
}

const MIRRORS = { 'apt.example': ['192.0.2.80'], 'deb.example': ['2001:db8::80'] }
const MIRROR_SETS = { outbound4: ['192.0.2.80 . 6 . 8443'], outbound6: ['2001:db8::80 . 6 . 80'] }
const RESOLVERS = { resolvers4: ['192.0.2.53'], resolvers6: ['fe80::1'] }

const sets = (outbound4: readonly string[], outbound6: readonly string[] = []) => ({
  ...RESOLVERS,
  outbound4: [...outbound4, ...MIRROR_SETS.outbound4].toSorted(),
  outbound6: [...outbound6, ...MIRROR_SETS.outbound6].toSorted(),
})

const moments: readonly (readonly [name: string, moment: Moment, expected: object, told: RegExp])[] = [
  [
    'every name: apt’s mirrors and resolvers, too; what is on the host itself is left out',
    {
      at: 0,
      names: { ...MIRRORS, 'a.example': ['192.0.2.1', '2001:db8::1', '127.0.0.1', '::1'], 'b.example': ['192.0.2.2'] },
    },
    sets(['192.0.2.1 . 6 . 443', '192.0.2.2 . 17 . 53'], ['2001:db8::1 . 6 . 443']),
    /^$/,
  ],
  [
    'a name has moved: the old addresses stay beside the new one',
    { at: 100, names: { ...MIRRORS, 'a.example': ['192.0.2.9'], 'b.example': ['192.0.2.2'] } },
    sets(['192.0.2.1 . 6 . 443', '192.0.2.9 . 6 . 443', '192.0.2.2 . 17 . 53'], ['2001:db8::1 . 6 . 443']),
    /^$/,
  ],
  [
    'a day later they are gone',
    { at: 101 + DAY, names: { ...MIRRORS, 'a.example': ['192.0.2.9'], 'b.example': ['192.0.2.2'] } },
    sets(['192.0.2.9 . 6 . 443', '192.0.2.2 . 17 . 53']),
    /^$/,
  ],
  [
    'no name resolves for days: all is kept, and it is said',
    { at: 9 * DAY, names: {} },
    sets(['192.0.2.9 . 6 . 443', '192.0.2.2 . 17 . 53']),
    /^(<4>[a-z.]+ does not resolve: what was known of its addresses stays open\n){4}$/,
  ],
  [
    'the same again is not said twice',
    { at: 9 * DAY + 1, names: {} },
    sets(['192.0.2.9 . 6 . 443', '192.0.2.2 . 17 . 53']),
    /^$/,
  ],
  [
    'a name that is not on the list any more is closed at once; that all resolve is said',
    { at: 9 * DAY + 2, names: { ...MIRRORS, 'a.example': ['192.0.2.9'] }, list: ['tcp 443 a.example'] },
    sets(['192.0.2.9 . 6 . 443']),
    /^<6>every name resolves\n$/,
  ],
]

for (const [name, moment, expected, told] of moments) {
  test(`addresses of names: ${name}`, () => {
    const found = refresh(moment)
    const sorted = Object.fromEntries(
      Object.entries<readonly string[]>(found.sets).map(([set, each]) => [set, each.toSorted()]),
    )
    assert.deepEqual(sorted, expected)
    assert.match(found.told, told)
  })
}
