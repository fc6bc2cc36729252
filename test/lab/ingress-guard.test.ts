/**
 * A change of a live ingress after which it does not answer from outside any more is put back, and so is one that nobody confirmed; clients of the
 * old one lose nothing. Needs: openssl.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Event } from '../../scripts/output/event.ts'
import { execute } from './execution.ts'
import {
  assertNothingToDo,
  bareServer,
  bootstrap,
  bootstrapWords,
  eventsOf,
  inside,
  machineWords,
  repository,
  type Server,
  toolkit,
  writeSpec,
} from './server.ts'

let server: Server
/** Own certificates, by the name that each is for: the options that send it. */
const own: Record<string, readonly string[]> = {}
const DOMAIN = 'gw.lab.example'

const certificateFor = (folder: string, name: string): readonly string[] => {
  const path = (kind: string) => join(folder, `${kind}-${name}`)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', path('key')]
  const names = ['-subj', '/CN=x', '-addext', `subjectAltName=DNS:${name}`]
  execFileSync('openssl', ['req', '-x509', ...key, ...names, '-days', '9', '-out', path('crt')], { stdio: 'ignore' })
  return ['--secret', `tls-certificate=${path('crt')}`, '--secret', `tls-key=${path('key')}`]
}

before(async () => {
  server = await bareServer('proof-ingress')
  await bootstrap(server)
  const folder = await mkdtemp(join(tmpdir(), 'tappass-certificate-'))
  for (const name of [DOMAIN, 'other.example']) own[name] = certificateFor(folder, name)
})
after(() => server?.close())

const configure = (more: Readonly<Record<string, unknown>>) => writeSpec(server, (spec) => ({ ...spec, ...more }))

/** The name of the host leads to it, in the toolkit only. */
const resolver =
  () => `data:text/javascript,import dns from 'node:dns'; const own = dns.lookup; dns.lookup = (name, options, done) =>
  own(name === '${DOMAIN}' ? '${server.machine.address}' : name, options, done)`

const bootstrapNamed = (...words: readonly string[]) =>
  execute([process.execPath, ...bootstrapWords(server), ...words], {
    cwd: repository,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_OPTIONS: `--import=${encodeURI(resolver())}` },
    timeoutMs: 600_000,
  })

/** What the ingress is started with, and whether something waits to be put back. */
const state = () =>
  inside(
    server,
    `cd /etc/tappass; sha256sum Caddyfile caddy.env /etc/systemd/system/tappass-caddy*; systemctl is-active tappass-caddy tappass-caddy-standby
    ls /var/lib/tappass-guard/pending 2>/dev/null; sha256sum /etc/credstore.encrypted/t*; nft list table inet tappass | grep dport
    openssl s_client -connect 127.0.0.1:443 -servername ${DOMAIN} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint; :`,
  )

/** Clients that come anew for each request, as long as `work` takes. Returns how many were answered, and what became of the others. */
const withClients = async (
  work: () => Promise<void>,
): Promise<readonly [answers: number, failures: readonly string[]]> => {
  const at = { host: server.machine.address, servername: DOMAIN, headers: { host: DOMAIN }, path: '/health' }
  const options = { ...at, agent: false, rejectUnauthorized: false } as const
  const ask = () =>
    new Promise<string>((resolve) => {
      request(options, (response) => response.resume().once('end', () => resolve(`${response.statusCode}`)))
        .once('error', ({ message }) => resolve(message))
        .end()
    })
  let isWorking = true
  const answers: string[] = []
  const asking = (async () => {
    for (; isWorking; await pause(50)) answers.push(await ask())
  })()
  await work().finally(() => {
    isWorking = false
  })
  await asking
  return [answers.length, answers.filter((answer) => answer !== '200')]
}

const failureOf = (events: readonly Event[]) =>
  events.flatMap((event) => (event.event === 'step-failed' ? event.failure.output : [])).join('\n')

const putBack = async (...words: readonly string[]): Promise<string> => {
  const output = await bootstrapNamed(...words)
  assert.equal(output.code, 3, `${output.stdout.slice(-3000)}${output.stderr}`)
  return failureOf(eventsOf(output))
}

/** Kills the controller when its change is under way. */
const killController = (): Promise<void> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, bootstrapWords(server), {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as Event
      if (event.event === 'step-started' && event.resource === 'unit:tappass-caddy.service') child.kill('SIGKILL')
    })
    child.once('close', () => resolve())
  })

test('a controller that is killed in between confirms nothing: put back, and told by the run', async () => {
  await configure({ ingress: { names: ['gw.lan'] } })
  const before = await state()
  await killController()
  await inside(server, 'while systemctl is-active --quiet tappass-run.service; do sleep 0.2; done')
  assert.equal(await state(), before)
  const shown = await toolkit(['attach', ...machineWords(server), '--json'])
  assert.equal(shown.code, 3, shown.stdout.slice(-2000))
  assert.match(failureOf(eventsOf(shown)), /not confirmed within 60 s/)
})

test('a certificate of one’s own for the name of the host: kept', async () => {
  await configure({ ingress: {}, domain: DOMAIN, tls: 'own' })
  const output = await bootstrapNamed(...(own[DOMAIN] ?? []))
  assert.equal(output.code, 0, output.stdout.slice(-3000))
  assert.ok(eventsOf(output).every((event) => event.event !== 'warning' || !/ingress/.test(event.warning.what)))
  assert.match(await inside(server, 'cat /etc/tappass/caddy.env; ls /var/lib/tappass-guard'), /TLS=own/)
  assert.doesNotMatch(await state(), /pending/)
  await assertNothingToDo(server)
})

test('a certificate for another name: put back, and no client of the old one is refused; the second run the same', async () => {
  const before = await state()
  const [answers, failures] = await withClients(async () => {
    for (const _ of [1, 2]) {
      assert.match(
        await putBack(...(own['other.example'] ?? [])),
        /certificate is for DNS:other\.example, not for .*put back/s,
      )
      assert.equal(await state(), before)
    }
  })
  assert.deepEqual(failures, [])
  assert.ok(answers > 100, `${answers}`)
  await assertNothingToDo(server)
})

test('a port that somebody else’s packet filter closes: put back, our own filter too', async () => {
  await inside(
    server,
    `nft 'table inet foreign { chain input { type filter hook input priority -10; iif != lo tcp dport 8443 drop; }; }'`,
  )
  await configure({ ingress: { https: 8443 } })
  const before = await state()
  assert.match(await putBack(), /port 8443\): .*put back/s)
  assert.equal(await state(), before)
})
