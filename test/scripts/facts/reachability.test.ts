/** The way to another host: the question is run here, with what name servers and routes say in its PATH; and what is refused then. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertReachable, type Reachability, reachabilityFact } from '../../../scripts/facts/reachability.ts'
import { factReaderOf, factRow, factsHere, scratch } from '../known-host.ts'

type Row = Readonly<{ name: string; v4: readonly string[]; v6: readonly string[]; routes: string; is: Reachability }>

const rows: readonly Row[] = [
  { name: 'both, and routes to both', v4: ['192.0.2.1'], v6: ['2001:db8::1'], routes: '*', is: 'reachable' },
  { name: 'both, IPv4 only here', v4: ['192.0.2.1'], v6: ['2001:db8::1'], routes: '*.*', is: 'reachable' },
  { name: 'both, IPv6 only here', v4: ['192.0.2.1'], v6: ['2001:db8::1'], routes: '*:*', is: 'reachable' },
  // With a name that has no IPv6 address, getent gives its IPv4 address in the form of IPv6.
  { name: 'IPv4 only there and here', v4: ['192.0.2.1'], v6: ['::ffff:192.0.2.1'], routes: '*.*', is: 'reachable' },
  {
    name: 'IPv4 only there, IPv6 only here',
    v4: ['192.0.2.1', '192.0.2.2'],
    v6: ['::ffff:192.0.2.1', '::ffff:192.0.2.2'],
    routes: '2*:*',
    is: 'no-ipv6',
  },
  { name: 'a second address has a route', v4: ['192.0.2.1', '192.0.2.2'], v6: [], routes: '*.2', is: 'reachable' },
  { name: 'IPv6 only there, IPv4 only here', v4: [], v6: ['2001:db8::1'], routes: '*.*', is: 'no-route' },
  { name: 'both, no route at all', v4: ['192.0.2.1'], v6: ['2001:db8::1'], routes: 'none', is: 'no-route' },
  {
    name: 'a translated address (NAT64)',
    v4: ['192.0.2.1'],
    v6: ['64:ff9b::c000:201'],
    routes: '*:*',
    is: 'reachable',
  },
  { name: 'the name does not resolve', v4: [], v6: [], routes: '*', is: 'unknown' },
]

for (const { name, v4, v6, routes, is } of rows) {
  test(`reachability: ${name}`, (context) => {
    const folder = scratch(context)
    const program = (file: string, text: string): void => {
      writeFileSync(join(folder, file), `#!/bin/sh\n${text}\n`)
      chmodSync(join(folder, file), 0o755)
    }
    const answers = (addresses: readonly string[]) =>
      addresses.map((each) => `echo '${each}  STREAM name'; echo '${each}  DGRAM'; echo '${each}  RAW'`).join('; ')
    program('getent', `case $2 in ahostsv4) :; ${answers(v4)} ;; ahostsv6) :; ${answers(v6)} ;; esac`)
    program('ip', `case $3 in ${routes}) exit 0 ;; *) exit 2 ;; esac`)
    const fact = reachabilityFact('name')
    const [shell, ...words] = fact.query.argv
    const { stdout, stderr } = spawnSync(shell as string, words, {
      encoding: 'utf8',
      env: { PATH: `${folder}:${process.env['PATH']}` },
    })
    assert.equal(fact.parse({ code: 0, stdout, stderr }), is, stdout + stderr)
  })
}

for (const [host, is] of [
  ['127.0.0.1', 'reachable'],
  ['::1', 'reachable'],
  ['nowhere.invalid', 'unknown'],
] as const) {
  test(`reachability: of ${host}, from here`, async () => assert.equal(await factsHere()(reachabilityFact(host)), is))
}

const url = 'https://git.example:8443/releases/x.tar.gz'

for (const is of ['reachable', 'unknown'] as const) {
  test(`assertReachable: ${is} is no reason to refuse`, () =>
    assertReachable(factReaderOf([factRow(reachabilityFact('git.example'), is)]), url, ''))
}

for (const [is, why] of [
  ['no-ipv6', /^git\.example has no IPv6 address, and this host has no route to IPv4 addresses$/],
  ['no-route', /no route to any address of git\.example/],
] as const) {
  test(`assertReachable: ${is} is refused, with the settings that help`, async () => {
    const facts = factReaderOf([factRow(reachabilityFact('git.example'), is)])
    await assert.rejects(
      assertReachable(facts, url, 'proxy.https'),
      (error: { code: number; text: { why: string; next: string } }) => {
        assert.deepEqual([error.code, error.text.next], [5, 'in host.yaml: proxy.https'])
        assert.match(error.text.why, why)
        return true
      },
    )
  })
}

test('assertReachable: an address in a URL is asked for as it is', () =>
  assertReachable(factReaderOf([factRow(reachabilityFact('fd00::1'), 'reachable')]), 'http://[fd00::1]/x', ''))
