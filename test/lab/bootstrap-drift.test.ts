/** What was changed by hand or by setting shows as exactly that change; mending it restarts what depends on it, and nothing else. Takes 6 minutes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import type { Generation } from '../../scripts/history/entry.ts'
import type { DriftRecord } from '../../scripts/output/drift-record.ts'
import { asDeployUser, DEPLOY_USER, documentedCommands, makeKey } from './deploy-user.ts'
import { demand } from './execution.ts'
import { readPins } from './pin.ts'
import {
  assertNothingToDo,
  bareServer,
  bootstrap,
  bootstrapWords,
  eventsOf,
  hostWords,
  inside,
  machineWords,
  mainPids,
  plan,
  repository,
  type Server,
  toolkit,
  untilHealthy,
  writeSpec,
} from './server.ts'

let server: Server
let planFile: string
const pins = await readPins()
const spec = parse(await readFile(join(import.meta.dirname, 'host.yaml'), 'utf8')) as Record<
  'node' | 'caddy',
  Readonly<{ archive: string }>
>

before(async () => {
  server = await bareServer('proof-drift', 0, { tree: 'docker' })
  planFile = join(server.folder, 'plan.json')
  // To healthy by a plan on file, and not a step that it does not cover.
  assert.equal((await plan(server, '--out', planFile)).code, 2)
  await bootstrap(server, '--plan', planFile)
})
after(() => server?.close())

const shell = (script: string) => (): Promise<unknown> => inside(server, script)

/** `changes` are `resource: what it does`, in order; `restarts` the units whose main process is another one afterwards. */
type Row = Readonly<{
  name: string
  disturb: () => Promise<unknown>
  changes: readonly string[]
  restarts: readonly string[]
}>

const rows: readonly Row[] = [
  {
    name: 'an edited file',
    disturb: shell('echo "maxclients 10" >>/etc/tappass/redis/redis.conf'),
    changes: ['file:/etc/tappass/redis/redis.conf: write /etc/tappass/redis/redis.conf'],
    restarts: [],
  },
  {
    name: 'a file that was edited, and read by a restart since',
    disturb: shell('echo "maxclients 10" >>/etc/tappass/redis/redis.conf; systemctl restart tappass-redis.service'),
    changes: [
      'file:/etc/tappass/redis/redis.conf: write /etc/tappass/redis/redis.conf',
      'unit:tappass-redis.service: restart tappass-redis.service',
    ],
    restarts: ['tappass-redis'],
  },
  {
    name: 'a file mode',
    disturb: shell('chmod 0666 /etc/tappass/Caddyfile'),
    changes: ['file:/etc/tappass/Caddyfile: set owner and mode of /etc/tappass/Caddyfile'],
    restarts: [],
  },
  {
    name: 'a stopped unit',
    disturb: shell('systemctl stop tappass-redis.service'),
    changes: ['unit:tappass-redis.service: start tappass-redis.service'],
    restarts: ['tappass-redis'],
  },
  {
    name: 'a socket that was stopped under its instances',
    disturb: shell('systemctl stop tappass.socket'),
    changes: ['unit:tappass.socket: start tappass.socket'],
    restarts: ['tappass@1', 'tappass@2'],
  },
  {
    name: 'a changed setting of the gateway',
    disturb: () =>
      writeSpec(server, (spec) => ({
        ...spec,
        gateway: { upstream: server.upstream.url, callsMax: 1_000_000, logLevel: 'warn' },
      })),
    changes: [
      'unit:tappass@1.service: restart tappass@1.service',
      'unit:tappass@2.service: restart tappass@2.service',
      'unit:tappass@.service: write /etc/tappass/gateway.env',
      'unit:tappass@.service: write /etc/systemd/system/tappass@.service',
      'unit:tappass-migrate.service: write /etc/systemd/system/tappass-migrate.service',
      'unit:tappass-migrate.service: restart tappass-migrate.service',
      'file:/etc/tappass/tappass.yaml: write /etc/tappass/tappass.yaml',
    ],
    restarts: ['tappass@1', 'tappass@2'],
  },
  {
    name: 'a removed package, whose library the gateway goes on with',
    disturb: shell('dpkg --purge --force-depends libatomic1'),
    changes: [
      'apt-package:prerequisites: install libatomic1',
      'unit:tappass@1.service: restart tappass@1.service',
      'unit:tappass@2.service: restart tappass@2.service',
    ],
    restarts: ['tappass@1', 'tappass@2'],
  },
]

const [node, caddy] = [`/opt/tappass/node/${pins.node[0]?.version}`, `/opt/tappass/caddy/${pins.caddy.version}`]

/** Programs and who may touch them: what was unpacked anew is run anew too. */
const programRows: readonly Row[] = [
  {
    name: 'an altered Node',
    disturb: shell(`cd ${node}/bin; cp -p node x; printf x >>x; mv x node`),
    changes: [`archive:${node}: unpack ${spec.node.archive} at ${node}`],
    restarts: ['tappass@1', 'tappass@2'],
  },
  {
    name: 'a Caddy that was cut short',
    disturb: shell(`cd ${caddy}; cp -p caddy x; truncate -s 1000000 x; mv x caddy`),
    changes: [`archive:${caddy}: unpack ${spec.caddy.archive} at ${caddy}`],
    restarts: ['tappass-caddy'],
  },
  {
    name: 'a folder of releases that all may write',
    disturb: shell('chmod 0777 /opt/tappass/releases; chown tappass /opt/tappass/node'),
    changes: ['node', 'releases'].map(
      (name) => `directory:/opt/tappass/${name}: set owner and mode of /opt/tappass/${name}`,
    ),
    restarts: [],
  },
  {
    name: 'versions of Node and Caddy that nothing runs',
    disturb: shell('mkdir /opt/tappass/node/1.0.0 /opt/tappass/caddy/1.0.0'),
    changes: ['node', 'caddy'].map((name) => `surplus-version:/opt/tappass/${name}: remove /opt/tappass/${name}/1.0.0`),
    restarts: [],
  },
  {
    name: 'a deploy user with more rights',
    disturb: shell('usermod --append --groups sudo,docker gebruiker'),
    changes: ['docker', 'sudo'].map((group) => `account:gebruiker: remove gebruiker from the group ${group}`),
    restarts: [],
  },
]

/** The settings of the gateway as a row above left them. */
const gateway = () => ({ upstream: server.upstream.url, callsMax: 1_000_000, logLevel: 'warn' })

for (const { name, disturb, changes, restarts } of [...rows, ...programRows]) {
  test(`${name} shows as exactly that, and restarts ${restarts.length === 0 ? 'nothing' : restarts.join(' and ')}`, async () => {
    await disturb()
    const before = await mainPids(server)
    const { code, events } = await plan(server, '--out', planFile)
    const shown = events.flatMap((event) => (event.event === 'plan' ? event.changes : []))
    assert.deepEqual([code, shown.map(({ resource, action }) => `${resource}: ${action}`)], [2, changes])
    for (const { action, diff } of shown) if (action.startsWith('write ')) assert.match(diff ?? '', /^[+-]/m)
    await bootstrap(server, '--plan', planFile)
    const after = await plan(server)
    const trips = after.events.flatMap((event) => (event.event === 'run-finished' ? [event.roundTrips] : []))
    assert.deepEqual([after.code, trips], [0, [1]])
    const now = await mainPids(server)
    const changed = Object.keys(now).filter((unit) => now[unit] !== before[unit])
    assert.deepEqual(changed.toSorted(), restarts.toSorted())
  })
}

test('a plan on file is refused once anything is not as planned: the resource is named, and how; nothing is touched', async () => {
  await inside(server, 'chmod 0666 /etc/tappass/Caddyfile')
  assert.equal((await plan(server, '--out', planFile)).code, 2)
  await inside(server, 'echo "# by hand" >>/etc/tappass/Caddyfile')
  const output = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json', '--plan', planFile])
  const reasons = eventsOf(output).flatMap((event) => (event.event === 'refused' ? event.reasons : []))
  assert.deepEqual(
    [output.code, reasons.map(({ what }) => what)],
    [5, ['file:/etc/tappass/Caddyfile is not as planned']],
    output.stdout,
  )
  assert.match(reasons[0]?.why ?? '', /planned: set owner and mode of \S+; now: write /)
  assert.equal(
    await inside(server, 'stat -c %a /etc/tappass/Caddyfile; ls /run/tappass-converge/lock 2>&1 | wc -l'),
    '666\n1',
  )
  assert.match(await inside(server, 'ls /run/tappass-converge/lock 2>&1; :'), /No such file/)
  await bootstrap(server)
})

test('something else under a version that was accepted before is refused, until its row is taken out on the host', async () => {
  const file = '/etc/tappass/versions.lock'
  const digests = parse(await inside(server, `cat ${file}`)).digests as Readonly<Record<string, string>>
  assert.equal(Object.keys(digests).length, 5, JSON.stringify(digests))
  const named = (begin: string) => Object.keys(digests).find((key) => key.startsWith(begin)) ?? ''
  for (const name of [caddy, named('redis:'), named('/opt/tappass/opa/')]) {
    const digest = digests[name] ?? ''
    await inside(server, `sed -i 's/${digest}/sha256:${'0'.repeat(64)}/' ${file}`)
    const refused = await plan(server)
    const reasons = refused.events.flatMap((event) => (event.event === 'refused' ? event.reasons : []))
    const what = `${name} is another one than was first accepted under this version`
    assert.deepEqual([refused.code, reasons.map((reason) => reason.what)], [5, [what]])
    await inside(server, `sed -i '/${'0'.repeat(64)}/d' ${file}`)
  }
  await bootstrap(server)
  assert.deepEqual(parse(await inside(server, `cat ${file}`)).digests, digests)
  await assertNothingToDo(server)
})

test('data of another PostgreSQL are refused before anything is changed, and the database goes on', async () => {
  const version = '/var/lib/tappass/postgres/cluster/PG_VERSION'
  const before = await mainPids(server)
  await inside(
    server,
    `cp -p ${version} /root/PG_VERSION; echo 15 >${version}; echo '# edited' >>/etc/tappass/redis/redis.conf`,
  )
  const { code, stdout, stderr } = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json'])
  const edits = await inside(server, 'grep -c "^# edited$" /etc/tappass/redis/redis.conf')
  await inside(server, `cp -p /root/PG_VERSION ${version}`)
  assert.deepEqual([code, edits], [5, '1'], stdout + stderr)
  assert.match(stdout + stderr, /PG_VERSION says/)
  assert.deepEqual(await mainPids(server), before)
  await bootstrap(server)
})

test('a third instance comes and goes again, and the two others stay', async () => {
  const before = await mainPids(server)
  for (const [instances, state] of [
    [3, 'active enabled'],
    [2, 'inactive disabled'],
  ] as const) {
    await writeSpec(server, (spec) => ({ ...spec, instances, gateway: gateway() }))
    await bootstrap(server)
    const asked = 'systemctl is-active tappass@3.service; systemctl is-enabled tappass@3.service; true'
    assert.equal((await inside(server, asked)).replaceAll('\n', ' '), state)
    await assertNothingToDo(server)
  }
  const now = await mainPids(server)
  assert.deepEqual([now['tappass@1'], now['tappass@2']], [before['tappass@1'], before['tappass@2']])
})

/** Kills a run in another PID namespace of this machine, which has the same host name, machine id and boot, in its first step. */
const killElsewhere = (words: readonly string[]): Promise<void> =>
  new Promise((resolve) => {
    const script = 'exec unshare --pid --fork --kill-child --mount-proc -- "$@"'
    const child = spawn('sh', ['-c', script, 'sh', process.execPath, ...words], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    child.stdout.on('data', (chunk: Buffer) => chunk.includes('"step-started"') && child.kill('SIGKILL'))
    child.once('exit', () => resolve())
  })

test('the lock of a run that cannot be seen from here holds, whatever this machine is called', async () => {
  // A part of the roles is driven from here to its end where the toolkit on the host is not whole.
  await inside(server, 'chmod 0666 /etc/tappass/Caddyfile; rm /opt/tappass/current/LICENSE')
  await killElsewhere([...bootstrapWords(server), '--only', 'ingress'])
  const output = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json'])
  assert.equal(output.code, 4, output.stdout)
  // A minute later it would be taken over.
  await inside(server, 'touch --date="61 seconds ago" /run/tappass-converge/lock')
  const taken = eventsOf(await bootstrap(server)).filter(({ event }) => event === 'lock-taken-over')
  assert.match(JSON.stringify(taken), /no heartbeat for 6\d s/)
})

test('every run is in the log of the host, the killed one too; a line is told by its run and template, and the chain shows what was altered', async () => {
  const asked = async (...words: readonly string[]) => {
    const output = await toolkit([...words, ...machineWords(server), '--json'])
    return { code: output.code, events: eventsOf(output) }
  }
  const { code, events } = await asked('history')
  const [shown] = events.filter((event) => event.event === 'history')
  assert.ok(shown !== undefined)
  const ends = shown.generations.map(({ end }) => (end?.kind === 'ended' ? end.outcome : end?.kind))
  assert.deepEqual([code, shown.problems, ends.filter((end) => end !== 'up-to-date')], [0, [], ['interrupted']])
  // The row about the setting has brought the line; all others are of the first run.
  const why = await asked('why', '/etc/tappass/gateway.env')
  const lines = why.events.flatMap((event) => (event.event === 'lines' ? event.lines : []))
  const level = lines.find(({ text }) => text.startsWith('TAPPASS_LOG_LEVEL='))
  assert.match(level?.place ?? '', /^templates\/gateway\.env\.hbs:\d+$/)
  assert.ok((level?.number ?? 0) > 1, JSON.stringify(level))
  assert.ok(lines.some(({ number }) => number === 1))
  const then = await toolkit(['at', '1', '--file', '/etc/tappass/gateway.env', ...machineWords(server)])
  assert.match(then.stdout, /^TAPPASS_LOG_LEVEL=info$/m)
  const first = (await asked('at', '1')).events.flatMap((event) => (event.event === 'generation' ? [event] : []))[0]
  const state = first?.state
  assert.ok(state?.units.some(({ unit, state: words }) => unit === 'tappass@1.service' && words.startsWith('active')))
  assert.equal(state?.images.length, 2)
  assert.equal((state?.secrets.length ?? 0) >= 7, true)
  await inside(
    server,
    'cd /var/lib/tappass-history/entries && cp -p 000002-begun.json /root/kept && sed -i s/root@/eve@/ 000002-begun.json',
  )
  const altered = await asked('history')
  await inside(server, 'mv /root/kept /var/lib/tappass-history/entries/000002-begun.json')
  const problems = altered.events.flatMap((event) => (event.event === 'history' ? event.problems : []))
  assert.deepEqual([altered.code, problems.map((problem) => problem.split(':')[0])], [1, ['000002-ended.json']])
})

/** As the timer does. The service that puts back follows it where the settings say so: it is waited for. */
const checkDrift = async () => {
  await inside(
    server,
    `systemctl start tappass-drift.service
    while systemctl is-active --quiet tappass-repair.service || systemctl list-jobs --no-legend | grep -q tappass-repair ||
      [ "$(systemctl show -p ActiveState --value tappass-repair.service)" = activating ]; do sleep 0.2; done`,
  )
  return JSON.parse(await inside(server, 'cat /var/lib/tappass/drift/last.json')) as DriftRecord
}

const generations = async (): Promise<readonly Generation[]> => {
  const output = await toolkit(['history', ...machineWords(server), '--json'])
  return eventsOf(output).flatMap((event) => (event.event === 'history' ? event.generations : []))
}

/** With root's rights over SSH, as somebody who is in a hurry. */
const byRootShell = (command: string) => {
  const { machine } = server
  const options = ['BatchMode=yes', 'LogLevel=ERROR', `UserKnownHostsFile=${machine.knownHosts}`]
  return demand([
    'ssh',
    '-i',
    machine.key,
    ...options.flatMap((each) => ['-o', each]),
    `root@${machine.address}`,
    command,
  ])
}

/** Three things, by two people. */
const disturb = async () => {
  await inside(
    server,
    `id ada >/dev/null 2>&1 || { useradd --create-home ada; echo 'ada ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ada; }
    runuser -u ada -- sudo -n chmod 0666 /etc/tappass/Caddyfile
    runuser -u ada -- sudo -n systemctl disable tappass-backup.timer
    sleep 2`,
  )
  await byRootShell('echo "# by hand" >>/etc/tappass/redis/redis.conf; sleep 0.1')
}

test('the check names what the host can’t put back by itself: a file of the controller is needed', async () => {
  const clean = await checkDrift()
  assert.deepEqual([clean.problem, clean.findings], [undefined, []])
  await inside(server, `cd ${caddy}; cp -p caddy x; truncate -s 1000000 x; mv x caddy`)
  const { findings, obstacles } = await checkDrift()
  assert.deepEqual(
    [findings.map(({ resource }) => resource), obstacles],
    [[`archive:${caddy}`], [`a file of the controller is needed: unpack the file that was sent to it at ${caddy}`]],
  )
  await writeSpec(server, (spec) => ({ ...spec, gateway: gateway() }))
  await bootstrap(server)
})

test('the timer’s check finds what was changed by hand, since when and by whom, changes nothing, and status says it', async () => {
  const before = await mainPids(server)
  const runs = (await generations()).length
  await disturb()
  const { findings, obstacles } = await checkDrift()
  const told = findings.map(({ resource, action, who }) => [resource, action, who])
  const [shell] = findings.flatMap(({ who }) => (who.kind === 'present' ? [who.sessions] : []))
  assert.deepEqual(obstacles, [])
  assert.deepEqual(told, [
    ['file:/etc/tappass/redis/redis.conf', 'write /etc/tappass/redis/redis.conf', { kind: 'present', sessions: shell }],
    [
      'file:/etc/tappass/Caddyfile',
      'set owner and mode of /etc/tappass/Caddyfile',
      { kind: 'account', account: 'ada', by: 'sudo', command: '/usr/bin/chmod 0666 /etc/tappass/Caddyfile' },
    ],
    [
      'unit:tappass-backup.timer',
      'enable tappass-backup.timer',
      { kind: 'account', account: 'ada', by: 'sudo', command: '/usr/bin/systemctl disable tappass-backup.timer' },
    ],
  ])
  assert.match(shell?.join() ?? '', /^root by sshd from [\d.:a-f]+$/)
  for (const { changedAt = '' } of findings)
    assert.ok(Math.abs(Date.parse(changedAt) - Date.now()) < 300_000, changedAt)
  const status = await toolkit(['status', ...machineWords(server)])
  assert.equal(status.code, 1)
  for (const words of [/^drift ! .*redis\.conf: its content differs/m, /^drift ! .*by ada \(sudo: /m])
    assert.match(status.stdout, words)
  assert.match(await inside(server, 'journalctl -u tappass-drift -p warning --output=cat'), /by ada \(sudo: /)
  assert.deepEqual([await mainPids(server), (await generations()).length], [before, runs])
})

test('with drift.repair the host puts it back by itself, restarts nothing for it, and notes the run', async () => {
  await writeSpec(server, (spec) => ({ ...spec, gateway: gateway(), drift: { repair: true } }))
  await bootstrap(server)
  const before = await mainPids(server)
  const runs = (await generations()).length
  await disturb()
  assert.deepEqual((await checkDrift()).findings, [], await inside(server, 'journalctl -u tappass-repair --output=cat'))
  await assertNothingToDo(server)
  const now = await generations()
  const { begun, end } = now.at(-1) ?? assert.fail('no run')
  assert.deepEqual(
    [now.length - runs, begun.operator, begun.verb, end?.kind === 'ended' && [end.outcome, end.applied]],
    [1, 'drift timer', 'drift', ['up-to-date', 3]],
  )
  assert.deepEqual((await checkDrift()).findings, [])
  assert.deepEqual([await mainPids(server), (await generations()).length], [before, runs + 1])
  await inside(server, 'rm /etc/sudoers.d/ada && userdel --remove ada 2>&1')
})

test('an earlier run is restored from here, and the later one on the host itself; a run that did not end well is refused, and nothing is touched', async () => {
  const all = await generations()
  const reached = all.filter(({ end }) => end?.kind === 'ended' && end.outcome === 'up-to-date')
  // The last two: without `drift.repair` and with it.
  const later = reached.at(-1)?.number ?? 0
  const earlier = reached.findLast(({ begun }) => begun.verb === 'bootstrap' && begun.number < later - 1)?.number ?? 0
  const stateOf = async (number: number) => {
    const output = await toolkit(['at', `${number}`, ...machineWords(server), '--json'])
    return eventsOf(output).flatMap((event) => (event.event === 'generation' ? [event.state?.files] : []))[0]
  }
  const before = await mainPids(server)
  const restored = await toolkit(['at', `${earlier}`, '--restore', '--yes', ...machineWords(server), '--json'])
  assert.equal(restored.code, 0, restored.stdout)
  const back = (await generations()).at(-1)
  assert.deepEqual([back?.number, back?.begun.restored], [all.length + 1, earlier])
  assert.deepEqual(await stateOf(all.length + 1), await stateOf(earlier))
  assert.equal(await inside(server, 'ls /etc/systemd/system/tappass-repair.service 2>&1 | grep -c "No such"'), '1')
  await inside(server, `tappass at ${later} --restore --yes 2>&1`)
  assert.deepEqual(await stateOf(all.length + 2), await stateOf(later))
  await assertNothingToDo(server)
  const killed = all.find(({ end }) => end?.kind === 'interrupted')?.number ?? 0
  const refused = await toolkit(['at', `${killed}`, '--restore', '--yes', ...machineWords(server)])
  assert.equal(refused.code, 5)
  assert.match(refused.stderr, /its settings were not reached as a whole \(interrupted\)/)
  assert.deepEqual([await mainPids(server), (await generations()).length], [before, all.length + 2])
})

test('the deploy user logs in with the keys of the spec, does what the page lists and nothing else; lines of others stay', async () => {
  const [ada, grace] = [await makeKey(server, 'ada'), await makeKey(server, 'grace')]
  const file = `/home/${DEPLOY_USER}/.ssh/authorized_keys`
  // Somebody's own line, without an end. And sshd as some harden it: without PAM it lets no locked account in.
  await inside(
    server,
    `install -d -o ${DEPLOY_USER} -g ${DEPLOY_USER} -m 0775 /home/${DEPLOY_USER}/.ssh
    printf '%s' '${grace.line}' >${file}; chown ${DEPLOY_USER}: ${file}
    echo 'UsePAM no' >/etc/ssh/sshd_config.d/hard.conf; systemctl reload ssh`,
  )
  const gateway = { callsMax: 1_000_000, upstream: server.upstream.url }
  const configure = (keys: readonly string[]) =>
    writeSpec(server, (spec) => ({ ...spec, gateway, deployUser: { keys } }))
  await configure([ada.line])
  await bootstrap(server)
  await assertNothingToDo(server)
  for (const { path } of [ada, grace])
    assert.equal((await asDeployUser(server, path, 'id -un')).stdout, `${DEPLOY_USER}\n`)
  assert.match(await inside(server, `getent shadow ${DEPLOY_USER}`), /^gebruiker:\*:/)

  const commands = await documentedCommands()
  assert.ok(commands.length >= 9, `${commands}`)
  for (const command of commands) {
    const { code, stdout, stderr } = await asDeployUser(server, ada.path, command)
    assert.ok(
      code === 0 || (command.includes('--follow') && /tappass/.test(stdout)),
      `${command}: ${code} ${stdout}${stderr}`,
    )
  }
  await untilHealthy(server)
  for (const command of [
    'sudo -n id',
    'sudo -n journalctl --no-pager --unit=ssh.service',
    'sudo -n tappass bootstrap --yes',
  ])
    assert.equal((await asDeployUser(server, ada.path, command)).code, 1, command)

  // A link that would have root's file written is not followed with root's rights.
  await inside(
    server,
    `mv /home/${DEPLOY_USER}/.ssh /home/${DEPLOY_USER}/kept; ln -s /root/.ssh /home/${DEPLOY_USER}/.ssh`,
  )
  assert.equal((await plan(server)).code, 5)
  await inside(server, `rm /home/${DEPLOY_USER}/.ssh; mv /home/${DEPLOY_USER}/kept /home/${DEPLOY_USER}/.ssh`)

  await configure([])
  await bootstrap(server)
  assert.equal((await asDeployUser(server, ada.path, 'true')).code, 255)
  assert.equal(await inside(server, `cat ${file}`), grace.line)
  await assertNothingToDo(server)
})

test('keys are taken from the account that the operator comes in by: it is put back, and the operator comes in as before', async () => {
  const { path, line } = await makeKey(server, 'eve')
  const file = '/home/eve/.ssh/authorized_keys'
  // As a deploy user before, who has root's rights by a rule of the operator's own since.
  await inside(
    server,
    `useradd --create-home --shell /bin/bash --password '*' eve; echo 'eve ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/eve
    install -d -o eve -g eve -m 0700 /home/eve/.ssh; echo '${line} managed-by-tappass' >${file}; chown eve: ${file}`,
  )
  const words = [
    '--host',
    `eve@${server.machine.address}`,
    '--identity',
    path,
    '--known-hosts',
    server.machine.knownHosts,
  ]
  const output = await toolkit(['bootstrap', ...words, '--config', server.specPath, '--yes', '--json'])
  const failed = eventsOf(output).flatMap((event) => (event.event === 'step-failed' ? [event] : []))
  assert.deepEqual(
    [output.code, failed.map(({ failure }) => failure.isPutBack)],
    [3, [true]],
    output.stdout.slice(-3000),
  )
  assert.equal(await inside(server, `cat ${file}`), `${line} managed-by-tappass`)
  assert.equal((await toolkit(['plan', ...words, '--config', server.specPath, '--json'])).code, 2)
  await inside(server, 'userdel --remove eve 2>/dev/null; rm /etc/sudoers.d/eve')
  await assertNothingToDo(server)
})

test('a rule of sudo that makes root of the deploy user, as cloud-init’s of its first user: refused, and not touched', async () => {
  const file = '/etc/sudoers.d/90-cloud-init-users'
  await inside(server, `echo '${DEPLOY_USER} ALL=(ALL) NOPASSWD:ALL' >${file}; chmod 0440 ${file}`)
  const { code, events } = await plan(server)
  const reasons = events.flatMap((event) => (event.event === 'refused' ? event.reasons : []))
  assert.deepEqual([code, reasons.map(({ what }) => what)], [5, ['gebruiker may run every command as root']])
  await inside(server, `rm ${file}`)
})
