/**
 * The vendors' own ways: Node, Caddy, Docker's packages and the images are fetched as in production, from names that the lab host answers. The
 * clone has the pins of the lab's artifacts, and nothing else in it differs. Two machines: one without IPv4, which gets the default
 * specification without `--config`; and one of 1 GB, behind an HTTP proxy, which starts with `bootstrap.sh`. Takes 5 minutes.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { AUTHORITIES, layFile } from './clone.ts'
import { demand, execute, type Output } from './execution.ts'
import { hostAddressOf, memoryKillsOf, straysFrom } from './machine.ts'
import { proxyPort } from './network.ts'
import { readPins } from './pin.ts'
import { rootPath } from './root.ts'
import {
  bareServer,
  door,
  eventsOf,
  inside,
  machineWords,
  repository,
  type Server,
  toolkit,
  untilHealthy,
} from './server.ts'
import { makeVendorClone } from './vendor/clone.ts'
import { packageIndex, vendorNames } from './vendor/name.ts'
import { askedBy } from './vendor/setting.ts'
import { ensureWheelArchive } from './wheel.ts'

/** Makes the clone in the server's folder, with the dependencies of this one, and gives its root. */
const layVendorClone = async ({ folder, machine }: Server): Promise<string> => {
  const root = join(folder, 'clone')
  await makeVendorClone(root)
  await demand(['cp', '-r', root, join(rootPath(machine.name), 'root/tappass')])
  await demand(['cp', '-al', join(repository, 'node_modules'), root])
  return root
}

/** Every file of the system, with what makes it that one. */
const treeOf = (server: Server): Promise<string> =>
  inside(server, `find /etc /opt /usr /var/lib /home -xdev -printf '%p %m %u %s %T@ %l\\n' | sort`)

const reasonsOf = (output: Output) =>
  eventsOf(output).flatMap((event) => (event.event === 'refused' ? event.reasons : []))

/** As somebody who logs in: within the machine's limit of memory, which `lab run` is not. */
const overSsh = ({ machine: { key, knownHosts, address } }: Server, command: string): Promise<Output> => {
  const options = ['-o', 'StrictHostKeyChecking=yes', '-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'BatchMode=yes']
  return execute(['ssh', ...options, '-i', key, `root@${address}`, command])
}

/** One that has to be answered: `echo` needs no model server. */
const callEcho = async (server: Server): Promise<string | null | undefined> => {
  const through = await door(server)
  try {
    const { client } = await through.agent('vendors')
    const messages = [{ role: 'user', content: 'good day' }] as const
    const { choices } = await client.chat.completions.create({ model: 'echo', messages: [...messages] })
    return choices[0]?.message.content
  } finally {
    await through.close()
  }
}

/** What came from the vendors: each name was asked, Docker is theirs, and images are what the registry has under the pinned digest. */
const assertVendors = async (server: Server, root: string, expected: readonly string[]): Promise<void> => {
  const asked = (await askedBy(server.machine)).filter(({ by }) => by === 'https')
  const names = new Set(asked.map(({ address }) => address.split('/')[0]))
  assert.deepEqual([...names].toSorted(), expected.toSorted())
  const format = ["dpkg-query -W -f '${Maintainer}\\n'", 'docker-ce docker-ce-cli containerd.io'].join(' ')
  assert.equal((await inside(server, format)).match(/TapPass lab/g)?.length, 3)
  const { images } = await readPins(root)
  const digests = Object.values(images).map(({ reference }) => reference.split('@')[1])
  const listed = await inside(server, "docker image ls --digests --format '{{.Digest}}'")
  assert.deepEqual(listed.split('\n').toSorted(), digests.toSorted())
}

describe('a machine without IPv4, the default specification', () => {
  let server: Server
  let root: string
  before(async () => {
    server = await bareServer('proof-ipv6', 0, { hasVendors: true, isIpv6Only: true })
    root = await layVendorClone(server)
    await inside(
      server,
      `printf '[global]\nindex-url = https://${packageIndex}/simple/\ncert = ${AUTHORITIES}\n' >/etc/pip.conf`,
    )
  })
  after(() => server?.close())

  const type = (verb: string, ...words: readonly string[]): Promise<Output> =>
    toolkit([verb, ...machineWords(server), '--json', ...words], 600_000, root)

  test('github.com has no IPv6 address: refused, with the ways out, and nothing is touched', async () => {
    await inside(
      server,
      `cp /etc/hosts /run/hosts && sed -i 's/^[^ ]* github.com$/140.82.121.3 github.com/' /etc/hosts`,
    )
    const tree = await treeOf(server)
    const output = await type('bootstrap', '--yes')
    const reasons = reasonsOf(output)
    assert.equal(output.code, 5, output.stderr)
    const why = 'github.com has no IPv6 address, and this host has no route to IPv4 addresses'
    const ways = [
      /downloads\.opa.*opa\.program.*policy\.engine: embedded/,
      /downloads\.caddy.*caddy\.archive.*proxy\.https/,
    ]
    assert.equal(reasons.length, ways.length)
    for (const [index, way] of ways.entries()) {
      assert.equal(reasons[index]?.why, why)
      assert.match(reasons[index]?.next ?? '', way)
    }
    assert.equal(await treeOf(server), tree)
    await inside(server, 'cat /run/hosts >/etc/hosts')
  })

  test('once it has one, the vendors’ packages, programs and images make a server of it, and then there is nothing to do', async () => {
    const { code, stdout, stderr } = await type('bootstrap', '--yes')
    assert.equal(code, 0, `${stdout.slice(-4000)}${stderr}`)
    const reasons = eventsOf({ code, stdout, stderr }).flatMap((event) =>
      event.event === 'plan' ? event.changes.map(({ reason }) => reason) : [],
    )
    assert.match(
      reasons.join('\n'),
      /accepted as first seen, from https:\/\/github\.com\/open-policy-agent\/\S+\.sha256/,
    )
    await untilHealthy(server)
    assert.match((await callEcho(server)) ?? '', /good day/)
    await assertVendors(server, root, vendorNames)
    const opa = await inside(server, 'grep /opa/ /etc/tappass/versions.lock; sha256sum /opt/tappass/opa/current/opa')
    assert.match(opa, /sha256:([0-9a-f]{64})\n\1 /)
    assert.match(await inside(server, "systemctl is-active 'tappass-opa@*'"), /^active$/m)
    assert.equal((await type('plan')).code, 0)
  })

  const docs = async (path: string) => {
    const through = await door(server)
    try {
      const response = await through.fetch(through.url(path))
      return { status: response.status, text: await response.text(), headers: response.headers }
    } finally {
      await through.close()
    }
  }

  test('the documentation is served under /docs, also without the gateway; nothing but its pages is', async () => {
    await inside(server, 'systemctl stop tappass.socket tappass@1 tappass@2')
    try {
      const page = await docs('/docs/reference/host/')
      assert.equal(page.status, 200)
      assert.match(page.text, /<h1 id="a-host">/)
      assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'self';/)
      assert.equal(page.headers.get('cache-control'), 'no-cache')
      assert.equal((await docs('/docs')).status, 200)
      for (const path of ['/docs/none/', '/docs/.manifest', '/docs/../caddy/', '/docs/%2e%2e/%2e%2e/caddy/'])
        assert.match((await docs(path)).text, /^404 |gateway.unreachable/, path)
      assert.equal((await docs('/health')).status, 502)
    } finally {
      await inside(server, 'systemctl start tappass.socket tappass@1 tappass@2')
    }
  })

  test('pages that MkDocs refuses: exit 1 with its words, the old site stays; mended ones take its place', async () => {
    const index = join(root, 'docs/index.md')
    const text = await readFile(index, 'utf8')
    const served = await inside(server, 'readlink /var/lib/tappass/site/current')
    await writeFile(index, `${text}\n[nowhere](nowhere.md)\n`)
    const refused = await type('bootstrap', '--yes')
    assert.equal(refused.code, 1, refused.stderr)
    assert.match(refused.stdout, /contains a link 'nowhere\.md'.*Aborted with 1 warnings in strict mode/)
    assert.equal(await inside(server, 'readlink /var/lib/tappass/site/current'), served)
    assert.equal((await docs('/docs/')).status, 200)
    await writeFile(index, `${text}\nA word more.\n`)
    const mended = await type('bootstrap', '--yes')
    assert.equal(mended.code, 0, mended.stdout.slice(-4000))
    assert.match((await docs('/docs/')).text, /A word more\./)
  })

  test('housekeeping: time, updates, the journal’s limit; what the check finds is in journal and status', async () => {
    const packages = await inside(
      server,
      "dpkg-query -W -f '${db:Status-Abbrev} ${Package}\\n' unattended-upgrades systemd-timesyncd",
    )
    assert.equal(packages.match(/^ii /gm)?.length, 2, packages)
    assert.match(await inside(server, 'apt-config dump APT::Periodic::Unattended-Upgrade'), /"1"/)
    assert.match(await inside(server, 'systemd-analyze cat-config systemd/journald.conf'), /^SystemMaxUse=1024M$/m)
    assert.match(await inside(server, 'journalctl -u systemd-journald --output=cat'), /System Journal .*max 1(\.0)?G/)
    // As a helper of SPIRE leaves it: for the group only, and root has no capability there.
    await inside(
      server,
      `install -d -m 0750 -o nobody -g tappass /run/tappass-svid && cd /run/tappass-svid &&
       openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=x -days 2 -keyout svid_key.pem -out svid.pem 2>/dev/null &&
       chown nobody:tappass ./*.pem && chmod 0640 ./*.pem && systemctl start tappass-check.service`,
    )
    const record = await inside(server, 'cat /var/lib/tappass/check/last.json')
    const { findings } = JSON.parse(record) as { findings: readonly Readonly<{ check: string; level: string }>[] }
    const kinds = new Set(findings.map(({ check }) => check))
    assert.deepEqual([...kinds].toSorted(), ['certificate', 'disk', 'secret', 'svid'])
    assert.deepEqual(
      findings.filter(({ check, level }) => check !== 'disk' && level !== 'ok'),
      [],
    )
    // A secret that was stored two years ago, and a check that was made three days ago.
    await inside(
      server,
      `touch -d '730 days ago' /etc/credstore.encrypted/tappass-jwt-secret && systemctl start tappass-check.service`,
    )
    assert.match(
      await inside(server, 'journalctl -u tappass-check -p warning --output=cat'),
      /^secret tappass-jwt-secret: 730 days old/m,
    )
    assert.match(
      (await toolkit(['status', ...machineWords(server)], 60_000, root)).stdout,
      /^secret +tappass-jwt-secret: 730 days old/m,
    )
    await inside(server, `sed -i 's/"at":"[0-9]*/"at":"2020/' /var/lib/tappass/check/last.json`)
    const stale = await toolkit(['status', ...machineWords(server)], 60_000, root)
    assert.equal(stale.code, 1)
    assert.match(stale.stdout, /^check ! +\d+ days ago/m)
    await inside(server, 'touch /etc/credstore.encrypted/tappass-jwt-secret && systemctl start tappass-check.service')
  })

  test('MkDocs is gone, there is no way to an index, and a page was changed there: wheels as a file make it whole', async () => {
    await inside(
      server,
      'rm -r /opt/tappass/mkdocs/* && rm /etc/pip.conf && echo changed >/var/lib/tappass/site/current/index.html',
    )
    await writeFile(server.specPath, `site: { wheels: ${await ensureWheelArchive()} }\n`)
    const { code, stdout } = await type('bootstrap', '--yes', '--config', server.specPath)
    assert.equal(code, 0, stdout.slice(-4000))
    assert.match((await docs('/docs/')).text, /A word more\./)
    assert.equal(
      await inside(server, 'find /var/lib/tappass/site /opt/tappass/site /opt/tappass/mkdocs ! -user root'),
      '',
    )
    const again = eventsOf(await type('bootstrap', '--yes', '--config', server.specPath))
    const finished = again.find(({ event }) => event === 'run-finished')
    assert.ok(finished?.event === 'run-finished')
    assert.deepEqual([finished.applied, finished.roundTrips], [0, 1])
  })
})

describe('a machine of 1 GB behind an HTTP proxy', () => {
  let server: Server
  let root: string
  let proxy: string
  before(async () => {
    server = await bareServer('proof-proxy', 0, { hasVendors: true, isProxied: true, memoryMegabytes: 960 })
    root = await layVendorClone(server)
    proxy = `http://${await hostAddressOf(server.machine)}:${proxyPort}`
    await layFile(server.machine, AUTHORITIES, '/root/authorities.crt')
    await inside(server, 'dpkg --remove --force-depends curl') // so that bootstrap.sh has something to install
  })
  after(() => server?.close())

  test('the default specification is refused with the settings that fit, and with these bootstrap.sh makes a server of it', async () => {
    const refused = await toolkit(['bootstrap', ...machineWords(server), '--json', '--yes'], 60_000, root)
    const [reason, ...others] = reasonsOf(refused)
    assert.deepEqual([refused.code, others], [5, []], refused.stderr)
    const settings = [...(reason?.next ?? '').matchAll(/"([^"]*)"/g)].map(([, line = '']) => line)
    assert.equal(settings.length, 3, reason?.next ?? '')
    // Docker Hub's registry under its own name is to Docker like any other registry.
    const redis = (await readPins(root)).images['redis']?.reference.split('@')[1]
    const spec = [
      ...settings,
      `proxy: { https: "${proxy}", http: "${proxy}" }`,
      'site: none',
      'housekeeping: { securityUpdates: false }',
      `images: { redis: { reference: "registry-1.docker.io/library/redis@${redis}" } }`,
      '',
    ].join('\n')
    await writeFile(server.specPath, spec)
    await layFile(server.machine, server.specPath, '/root/host.yaml')
    // The way to the package registry is under an authority of this workplace's own; npm is told of it, as everywhere.
    const { code, stdout } = await overSsh(
      server,
      `cd /root/tappass && env NODE_EXTRA_CA_CERTS=/root/authorities.crt HTTPS_PROXY=${proxy} HTTP_PROXY=${proxy} \\
        ./bootstrap.sh --config /root/host.yaml --yes 2>&1`,
    )
    assert.equal(code, 0, stdout.slice(-4000))
    assert.match(stdout, /^bootstrap: installing curl/)
    await untilHealthy(server)
    assert.match((await callEcho(server)) ?? '', /good day/)
    await assertVendors(
      server,
      root,
      vendorNames.filter((name) => name !== packageIndex),
    )
    assert.equal(await memoryKillsOf(server.machine), 0)
  })

  test('there is nothing to do afterwards, and nothing went past the proxy', async () => {
    assert.equal((await toolkit(['plan', ...machineWords(server), '--json'], 60_000, root)).code, 0)
    assert.match(await inside(server, 'systemctl cat tappass-redis'), /registry-1\.docker\.io\/library\/redis@sha256:/)
    // Docker's engine asks name servers for docker.io before each pull, and goes on without an answer; where it connects is left to the proxy.
    assert.deepEqual(
      (await straysFrom(server.machine)).filter((stray) => !stray.endsWith(' 17 53')),
      [],
    )
  })
})
