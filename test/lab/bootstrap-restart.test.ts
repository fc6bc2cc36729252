/**
 * Both instances restart, one after the other, again and again, under load, and every secret is rotated: no call may fail, no stream be cut.
 * The machine has the tools of Ubuntu 26.04, and the toolkit logs in as an ordinary user. Takes 6 minutes; with all rounds each secret is rotated by itself, too, under
 * 5,000 calls.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { shareOf } from '../rounds.ts'
import { DEPLOY_USER, documentedCommands } from './deploy-user.ts'
import type { Output } from './execution.ts'
import { load } from './load.ts'
import {
  assertNothingToDo,
  bareServer,
  bootstrap,
  type Door,
  door,
  eventsOf,
  hostWords,
  inside,
  killUnitOfRun,
  machineWords,
  mainPids,
  repository,
  type Server,
  secretOf,
  toolkit,
  writeSpec,
} from './server.ts'
import { withUbuntuTools } from './ubuntu-tools.ts'

let server: Server
let through: Door

before(async () => {
  server = await bareServer('proof-restart', 10)
  server = await withUbuntuTools(server)
  await bootstrap(server)
  through = await door(server)
})
after(async () => {
  await through?.close()
  await server?.close()
})

test('coreutils and sudo in Rust: a second run has nothing to do, and the deploy user may do what is granted', async () => {
  assert.match(await inside(server, 'readlink /usr/bin/sha256sum /usr/bin/stat'), /^(\/usr\/lib\/cargo\S+\n?){2}$/)
  assert.match(await inside(server, 'sudo --version 2>&1'), /^sudo-rs /)
  const finished = eventsOf(await bootstrap(server)).find(({ event }) => event === 'run-finished')
  assert.equal(finished?.event === 'run-finished' && finished.outcome, 'up-to-date')
  const asUser = `runuser -u ${DEPLOY_USER} --`
  const commands = (await documentedCommands()).filter(
    (command) => !/--follow|restart|st(art|op) tappass/.test(command),
  )
  assert.ok(commands.length >= 4, `${commands}`)
  await inside(server, commands.map((command) => `${asUser} ${command}`).join(' && '))
  await inside(server, `! ${asUser} sudo -n journalctl --no-pager --unit=ssh.service`)
})

/** Connects to the gateway's socket on the machine as long as `work` takes; gives how often, and how often that was refused. */
const connecting = async (work: () => Promise<unknown>): Promise<readonly [tries: number, refused: number]> => {
  const flag = '/run/connecting'
  await inside(server, `touch ${flag}`)
  const script = `tries=0; refused=0; while [ -e ${flag} ]; do tries=$((tries + 1))
    (exec 3<>/dev/tcp/127.0.0.1/9620) 2>/dev/null || refused=$((refused + 1)); sleep 0.02; done; echo $tries $refused`
  const counting = inside(server, `bash -c '${script}'`)
  await work().finally(() => inside(server, `rm ${flag}`))
  const [tries = 0, refused = 0] = (await counting).split(' ').map(Number)
  return [tries, refused]
}

/** Makes the socket's unit that of another release. */
const OTHER_SOCKET = `sed -i -e 's/^Description=.*/Description=of another release/' -e '/^Service=/a Backlog=16' \
  /etc/systemd/system/tappass.socket && systemctl daemon-reload`

const socketState = () =>
  inside(server, 'systemctl show --property=Description,ActiveEnterTimestampMonotonic,Backlog tappass.socket')

const callsMin = 5_000

test(`rolling restarts by hand and by the toolkit, with another socket: 0 of at least ${callsMin} calls fail`, async () => {
  const { key } = await through.agent('restart')
  const pids = await mainPids(server)
  let restarts = 0
  let isRestarting = true
  let connects: readonly [tries: number, refused: number] = [0, 0]
  const wantedSocket = await socketState()
  const restarting = async (): Promise<void> => {
    while (restarts < 4) {
      await inside(server, 'systemctl restart tappass@1.service && systemctl restart tappass@2.service')
      restarts += 1
    }
    await writeSpec(server, (spec) => ({
      ...spec,
      gateway: { callsMax: 1_000_000, upstream: server.upstream.url, logLevel: 'warn' },
    }))
    await inside(server, OTHER_SOCKET)
    connects = await connecting(() => bootstrap(server))
    isRestarting = false
  }
  const [tally] = await Promise.all([
    load(through, key, 12, ({ sent }) => !isRestarting && sent >= callsMin, 25),
    restarting().finally(() => {
      isRestarting = false
    }),
  ])
  const now = await mainPids(server)
  assert.deepEqual(tally.failures, [])
  assert.ok(tally.acknowledged.length >= callsMin && tally.streamed >= callsMin / 10, JSON.stringify(tally.sent))
  assert.ok(connects[0] > 50 && connects[1] === 0, `${connects[1]} of ${connects[0]} connects were refused`)
  assert.equal(await socketState(), wantedSocket)
  assert.notEqual(now['tappass@1'], pids['tappass@1'])
  assert.notEqual(now['tappass@2'], pids['tappass@2'])
  for (const unit of ['tappass-postgres', 'tappass-redis', 'tappass-caddy', 'docker'])
    assert.equal(now[unit], pids[unit], unit)
})

const ROTATED = [
  ...['tappass-admin-api-key', 'tappass-token-key', 'tappass-jwt-secret', 'tappass-checkpoint-key'],
  ...['tappass-vault-key', 'postgres-owner-password', 'postgres-password'],
]

/** With all rounds each secret is rotated by itself: the provided ones, too. */
const CALLS_PER_ROTATION = shareOf(5_000)
const ALONE = shareOf(100) === 100 ? [...ROTATED, 'openai-api-key', 'anthropic-api-key'] : []

const rotate = (ids: readonly string[], ...words: readonly string[]): readonly string[] => [
  ...['secrets', 'rotate', ids.join(','), ...hostWords(server), '--yes', '--json', ...words],
]

/** Kills a run when its output has this text: the toolkit here, and the unit that it goes on as. */
const killAt = async (text: string, words: readonly string[]): Promise<void> => {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(process.execPath, [join(repository, 'scripts/cli.ts'), ...words], {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk
      if (said.includes(text)) child.kill('SIGKILL')
    })
    child.once('exit', (code, signal) => (signal === 'SIGKILL' ? resolve() : reject(new Error(`${code}: ${said}`))))
  })
  await killUnitOfRun(server)
}

const valuesOf = async (ids: readonly string[]): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await secretOf(server, id)] as const)))

const adminStatus = async (key: string): Promise<number> =>
  (await through.fetch(through.url('/agents'), { headers: { authorization: `Bearer ${key}` } })).status

/** Asks as the administrator, with this key, again and again while `work` runs; gives what was answered with another status than 200. */
const administering = async (key: string, work: () => Promise<unknown>): Promise<readonly number[]> => {
  const others: number[] = []
  let isOver = false
  const asking = (async () => {
    while (!isOver) {
      const status = await adminStatus(key)
      if (status !== 200) others.push(status)
      await pause(50)
    }
  })()
  await work().finally(() => {
    isOver = true
  })
  await asking
  return others
}

const acceptsPassword = (password: string): Promise<string> =>
  inside(
    server,
    `docker exec --env PGPASSWORD=${password} tappass-postgres psql -qtAX --host /tappass/run --username tappass --dbname tappass \
     --command 'SELECT 1' 2>/dev/null || echo refused`,
  )

const succeeded = ({ code, stdout, stderr }: Output): void => assert.equal(code, 0, stdout + stderr)

/** Runs `work` under load, and as the administrator with this key: nothing fails. Returns how many calls there were. */
const underLoad = async (key: string, admin: string, work: () => Promise<unknown>): Promise<number> => {
  let isOver = false
  const loading = load(through, key, 8, ({ sent }) => isOver && sent >= CALLS_PER_ROTATION)
  const refused = await administering(admin, work).finally(() => {
    isOver = true
  })
  const { failures, acknowledged } = await loading
  assert.deepEqual([failures, refused], [[], []])
  assert.ok(acknowledged.length >= CALLS_PER_ROTATION, String(acknowledged.length))
  return acknowledged.length
}

const ask = (sql: string): Promise<string> =>
  inside(
    server,
    `docker exec tappass-postgres psql -qtAX --host /tappass/run --username postgres --dbname tappass --command "${sql}"`,
  )

/** The fingerprints of vault keys with which chains were begun, the newest last. */
const vaultKeysOfChains = async (): Promise<readonly string[]> =>
  (
    await ask(
      `SELECT entry::json->'details'->>'vault_key' FROM audit_events WHERE event_type = 'chain_opened' AND chain ~ '^[12]-' ORDER BY ts`,
    )
  ).split('\n')

test('every secret is rotated by a run that is killed and the one after it: 0 calls fail, and keys that others have are good until the end', async () => {
  const { key } = await through.agent('rotated')
  const [before, pids] = [await valuesOf(ROTATED), await mainPids(server)]
  const [vaultKey] = await vaultKeysOfChains()
  const admin = before['tappass-admin-api-key'] ?? ''
  const password = randomBytes(24).toString('base64url')
  const path = join(server.folder, 'password')
  await writeFile(path, password, { mode: 0o600 })
  const words = rotate(ROTATED, '--older-than', '0s', '--secret', `postgres-password=${path}`)
  // By then every instance knows the new values, and nothing has changed for those who have the old ones.
  await underLoad(key, admin, () => killAt('rotated-secret:postgres-password', words))
  const next = await secretOf(server, 'tappass-admin-api-key-next')
  assert.deepEqual(await Promise.all([admin, next].map(adminStatus)), [200, 200])
  await underLoad(key, next, async () => succeeded(await toolkit(rotate(ROTATED, '--finish'))))
  await assertNothingToDo(server)
  assert.deepEqual(await Promise.all([admin, next].map(adminStatus)), [401, 200])
  const [now, after] = [await valuesOf(ROTATED), await mainPids(server)]
  for (const id of ROTATED) assert.notEqual(now[id], before[id], id)
  assert.deepEqual([now['tappass-admin-api-key'], now['postgres-password']], [next, password])
  const passwords = [before['postgres-password'] ?? '', password]
  assert.deepEqual(await Promise.all(passwords.map(acceptsPassword)), ['refused', '1'])
  for (const unit of ['tappass-postgres', 'tappass-redis', 'tappass-caddy']) assert.equal(after[unit], pids[unit], unit)
  // What was made with the vault key before this one can be told by it: it is kept, and each chain says with which one it was begun.
  assert.equal(await secretOf(server, 'tappass-vault-key-earlier'), before['tappass-vault-key'])
  const chains = await vaultKeysOfChains()
  assert.ok(vaultKey !== undefined && /^[0-9a-f]{64}$/.test(vaultKey) && chains.at(-1) !== vaultKey, chains.join())
  assert.equal(new Set(chains).size, 2)
})

for (const id of ALONE)
  test(`${id} by itself: 0 of at least ${CALLS_PER_ROTATION} calls fail`, async (context) => {
    const own = await door(server)
    const { key } = await own.agent(`alone-${id}`).finally(own.close)
    const path = join(server.folder, 'provided')
    await writeFile(path, randomBytes(24).toString('base64url'), { mode: 0o600 })
    const provided = ROTATED.includes(id) ? [] : ['--secret', `${id}=${path}`]
    const admin = await secretOf(server, 'tappass-admin-api-key')
    const work = async () => succeeded(await toolkit(rotate([id], '--older-than', '0s', ...provided)))
    const calls = [await underLoad(key, admin, work)]
    if (id === 'tappass-admin-api-key' || id === 'tappass-token-key') {
      const next = id === 'tappass-token-key' ? admin : await secretOf(server, `${id}-next`)
      calls.push(await underLoad(key, next, async () => succeeded(await toolkit(rotate([id], '--finish')))))
    }
    context.diagnostic(`${id}: 0 of ${calls.join(' + ')} calls failed`)
  })

const listed = async (...words: readonly string[]) => {
  const output = await toolkit(['secrets', 'list', ...machineWords(server), '--json', ...words])
  const [found] = eventsOf(output).flatMap((event) => (event.event === 'secrets' ? [event.secrets] : []))
  return { code: output.code, secrets: found ?? [], text: output.stdout }
}

test('secrets that somebody else may have: 0 calls fail, and by the end of the run no older value is good, nor one that was still to come', async () => {
  // The administrator's key may be another one by now than that of the first door.
  const own = await door(server)
  const { key } = await own.agent('exposed').finally(own.close)
  succeeded(await toolkit(rotate(['tappass-admin-api-key'], '--older-than', '0s')))
  const begun = await listed()
  assert.deepEqual(
    begun.secrets.flatMap(({ id, nextStoredAt }) => (nextStoredAt === undefined ? [] : [id])),
    ['tappass-admin-api-key'],
  )
  const older = await valuesOf([...ROTATED, 'tappass-admin-api-key-next'])
  let isOver = false
  const loading = load(through, key, 8, ({ sent }) => isOver && sent >= CALLS_PER_ROTATION)
  const rotating = toolkit(rotate(['all'], '--compromised')).finally(() => {
    isOver = true
  })
  succeeded(await rotating)
  const { failures } = await loading
  assert.deepEqual(failures, [])
  await assertNothingToDo(server)
  const newer = await valuesOf(ROTATED)
  for (const id of ROTATED) assert.ok(!Object.values(older).includes(newer[id] ?? ''), id)
  const admins = [older['tappass-admin-api-key'], older['tappass-admin-api-key-next'], newer['tappass-admin-api-key']]
  assert.deepEqual(await Promise.all(admins.map((admin) => adminStatus(admin ?? ''))), [401, 401, 200])
  assert.deepEqual(
    await Promise.all([older, newer].map((values) => acceptsPassword(values['postgres-password'] ?? ''))),
    ['refused', '1'],
  )
  const jwks = (await (await through.fetch(through.url('/.well-known/jwks.json'))).json()) as { keys: unknown[] }
  assert.equal(jwks.keys.length, 1)
  const ended = await listed('--older-than', '0s')
  assert.equal(ended.code, 1)
  assert.deepEqual(
    ended.secrets.filter(({ isOverdue }) => !isOverdue).map(({ id }) => id),
    [],
  )
  assert.equal((await listed('--older-than', '1d')).code, 0)
  for (const value of Object.values(newer)) assert.ok(!ended.text.includes(value))
})
