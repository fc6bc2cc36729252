/**
 * A run goes on as a unit of its host: without its controller, held to a plan on file, with a part of the roles, watched again, asked to stop, killed, and without
 * anybody who could confirm a guarded change. And changes of its ingress that are put back: nobody confirmed, the machine lost its power, or it does not answer
 * from outside as before. One machine. Needs: openssl. Takes 7 minutes.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Event } from '../../scripts/output/event.ts'
import { execute } from './execution.ts'
import { cut, up } from './machine.ts'
import {
  assertNothingToDo,
  bareServer,
  bootstrap,
  bootstrapWords,
  eventsOf,
  inside,
  machineWords,
  plan,
  repository,
  type Server,
  toolkit,
  untilHealthy,
  writeSpec,
} from './server.ts'

let server: Server

before(async () => {
  server = await bareServer('proof-attach')
})
after(() => server?.close())

/** Starts a run, and sends it a signal at the first event that `isMoment` knows. Returns its events, and its exit code or signal. */
function endedRun(
  signal: NodeJS.Signals,
  isMoment: (event: Event) => boolean,
  ...words: readonly string[]
): Promise<Readonly<{ events: readonly Event[]; ended: number | NodeJS.Signals | null }>> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...bootstrapWords(server), ...words], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const events: Event[] = []
    let isSent = false
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as Event
      events.push(event)
      if (isSent || !isMoment(event)) return
      isSent = true
      child.kill(signal)
    })
    child.once('error', reject)
    child.once('close', (code, ended) => resolve({ events, ended: ended ?? code }))
  })
}

const attach = () => toolkit(['attach', ...machineWords(server), '--json'])

const lastOf = (events: readonly Event[]) => {
  const last = events.at(-1)
  return last?.event === 'run-finished' ? last : assert.fail(JSON.stringify(last))
}

const untilOver = () => inside(server, 'while systemctl is-active --quiet tappass-run.service; do sleep 0.2; done')

/** So that a run has something to do: instances are restarted for it. */
const withCallsMax = (callsMax: number) =>
  writeSpec(server, (spec) => ({ ...spec, gateway: { callsMax, upstream: server.upstream.url } }))

test('a controller that is killed does not end its run, held to a plan on file: it is shown again from its begin, and goes on to its end', async () => {
  const file = join(server.folder, 'plan.json')
  assert.equal((await plan(server, '--out', file)).code, 2)
  const { ended } = await endedRun('SIGKILL', ({ event }) => event === 'handed-over', '--plan', file)
  assert.equal(ended, 'SIGKILL')
  const shown = await attach()
  assert.equal(shown.code, 0, `${shown.stdout.slice(-3000)}${shown.stderr}`)
  const events = eventsOf(shown)
  const steps = events.flatMap((event) => (event.event === 'step-started' ? [event] : []))
  assert.equal(steps[0]?.step, 1)
  assert.equal(lastOf(events).outcome, 'up-to-date')
  await untilHealthy(server)
  await assertNothingToDo(server)
  const generations = eventsOf(await toolkit(['history', ...machineWords(server), '--json']))
  assert.match(JSON.stringify(generations), /"generations":\[\{[^[]*"outcome":"up-to-date"/)
  const { digest } = JSON.parse(await readFile(file, 'utf8')) as { digest: string }
  assert.ok(JSON.stringify(generations).includes(digest), 'the plan is named in the log')
})

test('what it was given is gone when it has ended; what it told stays to be shown', async () => {
  const found = await inside(server, 'ls -A /run/tappass-converge/run; ls -d /var/lib/tappass-sent 2>/dev/null || true')
  assert.deepEqual(found.split('\n').filter(Boolean).toSorted(), ['events.jsonl', 'job.json', 'watchers'])
  const startedAt = new Date().toISOString()
  const again = await attach()
  assert.equal(again.code, 0)
  // What is past carries the time at which it happened.
  const steps = again.stdout.split('\n').filter((line) => line.includes('"event":"step-'))
  const times = steps.map((line) => (JSON.parse(line) as { at: string }).at)
  assert.ok(times.length > 10 && times.every((at) => at < startedAt), `${times.at(-1)} ${startedAt}`)
  assert.deepEqual(times, times.toSorted())
  assert.equal(lastOf(eventsOf(again)).outcome, 'up-to-date')
})

test('an interrupt stops it after its step, also one that is held to a plan, and it says so; the next run completes it', async () => {
  await withCallsMax(900_000)
  const file = join(server.folder, 'plan.json')
  assert.equal((await plan(server, '--out', file)).code, 2)
  const isMoment = (event: Event) => event.event === 'step-started' && event.step === 2
  const { events, ended } = await endedRun('SIGINT', isMoment, '--plan', file)
  assert.equal(ended, 130, JSON.stringify(events.slice(-3)))
  assert.equal(lastOf(events).outcome, 'interrupted')
  assert.ok(events.some(({ event }) => event === 'handed-over'))
  await bootstrap(server)
  await assertNothingToDo(server)
})

test('another run is refused while one of a part of the roles goes on, and told how to see it; a closed terminal leaves it alone', async () => {
  await withCallsMax(800_000)
  const { ended } = await endedRun(
    'SIGHUP',
    ({ event }) => event === 'handed-over',
    '--only',
    'gateway',
    '--only',
    'settings',
  )
  assert.equal(ended, 130)
  const other = await toolkit(['bootstrap', ...bootstrapWords(server).slice(2)])
  assert.equal(other.code, 4, other.stdout.slice(-2000))
  assert.match(other.stdout, /attach --host/)
  await untilOver()
  assert.match(await inside(server, 'cat /etc/tappass/gateway.env'), /800000/)
  // What other roles make of it.
  await bootstrap(server)
  await assertNothingToDo(server)
})

test('killed on the host itself, with a process of it left: seen at once by the next run, which completes it', async () => {
  await withCallsMax(700_000)
  const running = endedRun('SIGKILL', () => false)
  await inside(
    server,
    `until systemctl is-active --quiet tappass-run.service; do sleep 0.05; done
    group=$(systemctl show --property=ControlGroup --value tappass-run.service)
    for root in /sys/fs/cgroup/unified /sys/fs/cgroup /sys/fs/cgroup/systemd; do [ ! -e "$root$group/cgroup.procs" ] || break; done
    setsid sleep 1234 >/dev/null 2>&1 </dev/null & echo $! >"$root$group/cgroup.procs"
    systemctl kill --kill-whom=main --signal=SIGKILL tappass-run.service`,
  )
  const { events, ended } = await running
  assert.equal(ended, 1, JSON.stringify(events.slice(-3)))
  // What it has left running keeps the dead unit loaded; it goes on, in a scope of its own.
  assert.equal(await inside(server, 'systemctl is-active tappass-run.service || true'), 'failed')
  await bootstrap(server)
  assert.match(
    await inside(server, 'cat /proc/$(pgrep -xf "sleep 1234")/cgroup; pkill -xf "sleep 1234"'),
    /tappass-run-left-\d+\.scope/,
  )
  await assertNothingToDo(server)
})

test('a guarded change is not begun while nobody could confirm it; all else is done', async () => {
  await writeSpec(server, (spec) => ({
    ...spec,
    gateway: { callsMax: 600_000, upstream: server.upstream.url },
    firewall: { allow: [{ port: 9999 }] },
  }))
  await endedRun('SIGKILL', ({ event }) => event === 'handed-over')
  await untilOver()
  await pause(500)
  const shown = await attach()
  assert.equal(shown.code, 3, shown.stdout.slice(-2000))
  assert.match(shown.stdout, /nobody is connected/)
  assert.match(await inside(server, 'cat /etc/tappass/gateway.env'), /600000/)
  assert.doesNotMatch(await inside(server, 'nft list table inet tappass'), /9999/)
  await bootstrap(server)
  assert.match(await inside(server, 'nft list table inet tappass'), /9999/)
})

const DOMAIN = 'gw.lab.example'

/** Makes a certificate for a name, and gives the options that send it. */
const certificateFor = (name: string): readonly string[] => {
  const path = (kind: string) => join(server.folder, `${kind}-${name}`)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout', path('key')]
  const names = ['-subj', '/CN=x', '-addext', `subjectAltName=DNS:${name}`]
  execFileSync('openssl', ['req', '-x509', ...key, ...names, '-days', '9', '-out', path('crt')], { stdio: 'ignore' })
  return ['--secret', `tls-certificate=${path('crt')}`, '--secret', `tls-key=${path('key')}`]
}

const configure = (more: Readonly<Record<string, unknown>>) => writeSpec(server, (spec) => ({ ...spec, ...more }))

/** The name of the host leads to it, in the toolkit only. */
const resolver =
  () => `data:text/javascript,import dns from 'node:dns'; import { syncBuiltinESMExports } from 'node:module'
  for (const api of [dns, dns.promises]) {
    const { lookup } = api
    api.lookup = (name, ...rest) => lookup(name === '${DOMAIN}' ? '${server.machine.address}' : name, ...rest)
  }
  syncBuiltinESMExports()`

const bootstrapNamed = (...words: readonly string[]) =>
  execute([process.execPath, ...bootstrapWords(server), ...words], {
    cwd: repository,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_OPTIONS: `--import=${encodeURI(resolver())}` },
    timeoutMs: 600_000,
  })

/** What the ingress is started with, and whether something waits to be put back. */
const ingressState = () =>
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

test('a controller that is killed in a change of the ingress confirms nothing: put back, and told by the run', async () => {
  await configure({ ingress: { names: ['gw.lan'] } })
  const before = await ingressState()
  const isMoment = (event: Event) => event.event === 'step-started' && event.resource === 'unit:tappass-caddy.service'
  await endedRun('SIGKILL', isMoment)
  await untilOver()
  assert.equal(await ingressState(), before)
  const shown = await attach()
  assert.equal(shown.code, 3, shown.stdout.slice(-2000))
  assert.match(failureOf(eventsOf(shown)), /not confirmed within 60 s/)
})

test('a machine that loses its power in a change of the ingress puts it back when it is up again, and the ingress answers', async () => {
  const before = await ingressState()
  const isMoment = (event: Event) => event.event === 'step-started' && event.resource === 'unit:tappass-caddy.service'
  await endedRun('SIGKILL', isMoment)
  assert.match(await ingressState(), /^pending$|^paths$/m)
  await cut(server.machine.name)
  await up(server.machine.name)
  await untilHealthy(server)
  await inside(
    server,
    'for try in $(seq 100); do [ -d /var/lib/tappass-guard/pending ] || exit 0; sleep 0.2; done; exit 1',
  )
  await untilHealthy(server)
  assert.equal(await ingressState(), before)
})

test('a certificate of one’s own for the name of the host: kept', async () => {
  await configure({ ingress: {}, domain: DOMAIN, tls: 'own' })
  const output = await bootstrapNamed(...certificateFor(DOMAIN))
  assert.equal(output.code, 0, output.stdout.slice(-3000))
  assert.ok(eventsOf(output).every((event) => event.event !== 'warning' || !/ingress/.test(event.warning.what)))
  assert.match(await inside(server, 'cat /etc/tappass/caddy.env; ls /var/lib/tappass-guard'), /TLS=own/)
  assert.doesNotMatch(await ingressState(), /pending/)
  await assertNothingToDo(server)
})

test('a certificate for another name: put back, and no client of the old one is refused; the second run the same', async () => {
  const [misfit, before] = [certificateFor('other.example'), await ingressState()]
  const [answers, failures] = await withClients(async () => {
    for (const _ of [1, 2]) {
      assert.match(await putBack(...misfit), /certificate is for DNS:other\.example, not for .*put back/s)
      assert.equal(await ingressState(), before)
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
  const before = await ingressState()
  assert.match(await putBack(), /port 8443\): .*put back/s)
  assert.equal(await ingressState(), before)
})
