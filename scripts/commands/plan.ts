/** `tappass plan`: shows what `bootstrap` would change on each host, with reasons and diffs, and changes nothing. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Invocation } from '../command-line/invocation.ts'
import { survey } from '../converge/host-survey.ts'
import { shownChanges } from '../converge/plan.ts'
import { recipe } from '../recipe.ts'
import { connectLocal } from '../runners/local.ts'
import { readOnly } from '../runners/read-only.ts'
import { wantedSpec } from '../session/effective-spec.ts'
import { type Connectors, onEachHost } from '../session/host-session.ts'
import { chosenResources } from '../spec/role-selection.ts'
import { readTargets } from '../spec/target.ts'

const connectors: Connectors = {
  local: async (askPassword) => connectLocal(process.getuid?.() === 0, askPassword),
  ssh: async (...address) => (await import('../runners/ssh.ts')).connectSsh(...address),
  nonce: () => randomBytes(16).toString('hex'),
}

/** Exits 0 when nothing differs, 2 when something does, 5 when the host would be refused. */
export async function run(invocation: Invocation): Promise<number> {
  const text = (path: string) => readFileSync(join(invocation.root, path), 'utf8')
  const targets = await readTargets(invocation)
  return await onEachHost(invocation, connectors, targets, async (host) => {
    const { connection, look, tell } = host
    const spec = await wantedSpec(invocation, host)
    const resources = chosenResources(recipe(spec, text), invocation)
    const onlyLooking = { ...connection, run: readOnly(connection.run) }
    const seen = await survey(onlyLooking, look, resources, spec.preflight, invocation.nowMs)
    if (seen.status === 'refused') {
      tell({ event: 'refused', reasons: seen.reasons })
      return { outcome: 'refused', applied: 0, remaining: 0 }
    }
    const changes = shownChanges(seen.plan)
    tell({ event: 'plan', resources: resources.length, changes })
    return { outcome: changes.length === 0 ? 'as-wanted' : 'pending', applied: 0, remaining: seen.plan.planned.length }
  })
}
