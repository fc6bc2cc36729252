/**
 * SIGKILL of the toolkit after every step of a run, and in the middle of some: on one machine each run is killed after the first step that it
 * completes, and the one after the last ends in the state that an undisturbed run gives, to the byte. Takes 7 minutes.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { runUntil, unarm } from './killed-run.ts'
import { assertNothingToDo, bareServer, bootstrap, eventsOf, inside, type Server, untilHealthy } from './server.ts'

/** Killed in their middle, whatever the share: inside apt and Docker, where a half-done step leaves the most behind. After so many milliseconds. */
const INSIDE: Readonly<Record<string, number>> = {
  'apt-package:docker': 2_000,
  'image:postgres:16.15-alpine': 150,
  'unit:tappass-postgres.service': 150,
  'release:/opt/tappass': 150,
}

/** And of the other steps one in so many, as soon as its command runs. */
const INSIDE_EVERY = 8
const INSIDE_MS = 20

/** More runs than that are a circle: a step that is wanted again by each. */
const RUNS_MAX = 400

/** Prints each file that it is given, and the digest of what is in it but for revisions and the upstream's address. Programs have none. */
const DIGESTS = `import hashlib, re, sys
for path in sys.stdin.read().splitlines():
    content = open(path, "rb").read()
    if len(content) < 1 << 20: content = re.sub(rb"\\b[0-9a-f]{16}\\b|http://10[.0-9:]+/v1", b"", content)
    print(path, hashlib.sha256(content).hexdigest())`

/**
 * All that a run leaves: files with owner, mode and content, packages, accounts, what is enabled and what runs. Secrets by name only; revisions
 * and the upstream's address are left out, for they differ from machine to machine (a revision covers the machine's own secrets),
 * and so does what is in the folder of OPA's bundle, which each roll-out signs with a key of its own, and the archived log, whose folder has the number of the cluster.
 */
const stateOf = async (server: Server): Promise<readonly string[]> =>
  (
    await inside(
      server,
      `DIGESTS='${DIGESTS}'
     find /etc/tappass /etc/systemd/system /etc/docker /etc/sudoers.d /etc/tmpfiles.d /opt/tappass /etc/credstore.encrypted \\
       -not -path '*/node_modules/*' -printf '%p %y %u:%g %m %l\\n' | sort
     find /etc/tappass /etc/systemd/system /etc/docker /etc/sudoers.d /opt/tappass -type f -not -path '*/node_modules/*' -not -path '/etc/tappass/opa/*/*' |
       sort | python3 -c "$DIGESTS"
     find /var/lib/tappass -maxdepth 2 -not -path '*/postgres/*' -not -path '*/wal/*' -not -name '*.checkpoint' -printf '%p %y %u:%g %m\\n' | sort
     dpkg-query -W -f '\${Package} \${Status}\\n'; getent passwd | cut -d: -f1,6,7; docker images --format '{{.Repository}}:{{.Tag}} {{.ID}}'
     systemctl list-unit-files --no-legend --no-pager 'tappass*' 'docker.service'
     systemctl list-units --all --no-legend --no-pager --plain 'tappass*' 'docker.service' | awk '{ print $1, $2, $3, $4 }'`,
    )
  ).split('\n')

let server: Server | undefined
after(() => server?.close())

const bareTo = async (make: (server: Server) => Promise<void>): Promise<readonly string[]> => {
  await server?.close()
  server = await bareServer('proof-kill')
  await make(server)
  await untilHealthy(server)
  await assertNothingToDo(server)
  return stateOf(server)
}

/** Kills run after run, each after its first step; gives after which steps, and inside which. */
async function killAll(server: Server): Promise<Readonly<{ after: Set<string>; inside: Set<string> }>> {
  const [killedAfter, killedInside] = [new Set<string>(), new Set<string>()]
  for (let run = 1; run <= RUNS_MAX; run += 1) {
    const named = Object.entries(INSIDE).filter(([resource]) => !killedInside.has(resource))
    const some = run % INSIDE_EVERY === 0 ? { '*': INSIDE_MS } : {}
    const {
      isKilled,
      done,
      inside: halfDone,
      said,
    } = await runUntil(server, {
      after: 1,
      inside: { ...some, ...Object.fromEntries(named) },
    })
    if (!isKilled) {
      await unarm(server)
      assert.match(said, /"outcome":"up-to-date"/, said)
      return { after: killedAfter, inside: killedInside }
    }
    const last = done.at(-1)
    if (halfDone !== undefined) killedInside.add(halfDone)
    else if (last !== undefined) killedAfter.add(last)
  }
  throw new Error(`${RUNS_MAX} runs and no end, the last ones after ${[...killedAfter].slice(-5).join()}`)
}

test('killed after every step, and inside some: the same state as undisturbed', async (context) => {
  const steps: string[] = []
  const undisturbed = await bareTo(async (bare) => {
    const events = eventsOf(await bootstrap(bare))
    for (const event of events) if (event.event === 'step-finished' && event.isApplied) steps.push(event.resource)
  })
  const disturbed = await bareTo(async (bare) => {
    const killed = await killAll(bare)
    context.diagnostic(`${steps.length} steps; killed after ${killed.after.size}, inside ${killed.inside.size}`)
    assert.deepEqual(
      Object.keys(INSIDE).filter((resource) => !killed.inside.has(resource)),
      [],
    )
    const spared = steps.filter((step) => !killed.after.has(step) && !killed.inside.has(step))
    assert.deepEqual(spared, [])
  })
  const [there, here] = [new Set(undisturbed), new Set(disturbed)]
  const lost = [...there].filter((line) => !here.has(line))
  const added = [...here].filter((line) => !there.has(line))
  assert.ok(there.size > 300, `only ${there.size} lines were compared`)
  assert.deepEqual({ lost, added }, { lost: [], added: [] })
})
