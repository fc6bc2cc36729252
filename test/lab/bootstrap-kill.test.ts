/** SIGKILL of the toolkit at twenty points spread over a run: the run after them ends in the state that an undisturbed run gives. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import type { Event } from '../../scripts/output/event.ts'
import {
  assertNothingToDo,
  bareServer,
  bootstrap,
  bootstrapWords,
  inside,
  repository,
  type Server,
  untilHealthy,
} from './server.ts'

const points = 20

/** What must be hit whatever the spread: inside apt and Docker, where a half-done step leaves the most behind. */
const mustHit = [
  'apt-package:docker',
  'image:postgres:16.15-alpine',
  'unit:tappass-postgres.service',
  'release:/opt/tappass',
]

/** How long after the step began: long steps are hit in their middle. */
const delayOf = (resource: string): number =>
  resource.startsWith('apt-package:') ? 2_000 : /^(unit|image|release|archive):/.test(resource) ? 150 : 0

/**
 * Starts a run and kills it at one of the `left` points that are still to be spread over what is left to do, or at a step of
 * `mustHit` that is not among `killed` yet. Gives the resource that was changing, or undefined where the run ended before.
 */
const killedRun = (server: Server, left: number, killed: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, bootstrapWords(server), {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let target = 1
    let begun = 0
    let hit: string | undefined
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as Event
      if (event.event === 'plan')
        target = 1 + Math.floor(new Set(event.changes.map(({ resource }) => resource)).size / (left + 1))
      if (event.event !== 'step-started' || hit !== undefined) return
      begun += 1
      const { resource } = event
      if (begun < target && (!mustHit.includes(resource) || killed.includes(resource))) return
      hit = resource
      setTimeout(() => child.kill('SIGKILL'), delayOf(resource))
    })
    child.once('error', reject)
    child.once('close', (_, signal) => resolve(signal === 'SIGKILL' ? hit : undefined))
  })

/**
 * All that a run leaves: files with owner, mode and content, packages, accounts, what is enabled and what runs. Secrets by name only; revisions
 * and the upstream's address are left out, for they differ from machine to machine (a revision covers the machine's own secrets),
 * and so does what is in the folder of OPA's bundle, which each roll-out signs with a key of its own.
 */
const stateOf = async (server: Server): Promise<readonly string[]> =>
  (
    await inside(
      server,
      `find /etc/tappass /etc/systemd/system /etc/docker /etc/sudoers.d /etc/tmpfiles.d /opt/tappass /etc/credstore.encrypted \\
       -not -path '*/node_modules/*' -printf '%p %y %u:%g %m %l\\n' | sort
     find /etc/tappass /etc/systemd/system /etc/docker /etc/sudoers.d /opt/tappass -type f -not -path '*/node_modules/*' -not -path '/etc/tappass/opa/*/*' | sort | while read -r f; do
       printf '%s %s\\n' "$f" "$(sed -E 's,\\b[0-9a-f]{16}\\b|http://10[.0-9:]+/v1,,g' "$f" | sha256sum)"; done
     find /var/lib/tappass -maxdepth 2 -not -path '*/postgres/*' -not -name '*.checkpoint' -printf '%p %y %u:%g %m\\n' | sort
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

test(`killed at ${points} points, some inside apt and docker, then left alone: the same state as undisturbed`, async () => {
  const undisturbed = await bareTo(async (bare) => {
    await bootstrap(bare)
  })
  const killed: string[] = []
  const disturbed = await bareTo(async (bare) => {
    while (killed.length < points) {
      const resource = await killedRun(bare, points - killed.length, killed)
      assert.ok(resource, `a run ended before it was killed, after ${killed.length}: ${killed.join()}`)
      killed.push(resource)
    }
    await bootstrap(bare)
  })
  for (const resource of mustHit) assert.ok(killed.includes(resource), `${resource} is not among ${killed.join()}`)
  assert.ok(new Set(killed).size >= points / 2, killed.join())
  const [there, here] = [new Set(undisturbed), new Set(disturbed)]
  const lost = [...there].filter((line) => !here.has(line))
  const added = [...here].filter((line) => !there.has(line))
  assert.ok(there.size > 300, `only ${there.size} lines were compared`)
  assert.deepEqual({ lost, added }, { lost: [], added: [] })
})
