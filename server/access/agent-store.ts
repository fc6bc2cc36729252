/** The agent registry and its keys, in SQL. The text of a key is returned once and never stored. */

import type { Database, Random } from '../core/ports.ts'
import { createKey, type KeyKind, storedKey } from './api-key.ts'

/** The attributes of an agent to be registered. */
export type NewAgent = Readonly<{
  agent_id: string
  framework?: string | undefined
  description?: string | undefined
  owner_email?: string | undefined
  intended_use?: string | undefined
  spiffe_id?: string | undefined
}>

/** An agent as the API shows it. */
export type RegisteredAgent = Readonly<{
  agent_id: string
  agent_uuid: string
  org_id: string
  framework: string | null
  description: string | null
  owner_email: string | null
  intended_use: string | null
  spiffe_id: string | null
  is_active: boolean
  created_at: Date
  /** The same two, as TapPass's SDK reads them. */
  active: boolean
  registered_at: Date
  /** When one of its keys, its own or a developer's, or an SVID was last used; accurate to a minute. */
  last_used_at: Date | null
}>

const PUBLIC_COLUMNS = `agent_id, agent_uuid, org_id::text AS org_id, framework, description, owner_email, intended_use, spiffe_id, is_active, created_at,
  is_active AS active, created_at AS registered_at,
  greatest(svid_used_at, (SELECT max(k.last_used_at) FROM api_keys k WHERE k.agent_id = agents.id)) AS last_used_at`

/** The one organization, until there are several. */
const DEFAULT_ORG = `(SELECT id FROM organizations WHERE slug = 'default')`

/**
 * Registers an agent, in the caller's transaction; with its first key, unless it has a SPIFFE id to come with. Throws on a name or a SPIFFE id that is taken
 * (UNIQUE_VIOLATION).
 */
export async function registerAgent(
  transaction: Database,
  random: Random,
  agent: NewAgent,
): Promise<Readonly<{ agent: RegisteredAgent; key: string | undefined }>> {
  const uuid = `ag_${Buffer.from(random.bytes(6)).toString('base64url')}`
  const { agent_id, framework, description, owner_email, intended_use, spiffe_id } = agent
  const [row] = await transaction.query<RegisteredAgent & { id: string }>(
    `INSERT INTO agents (agent_uuid, agent_id, org_id, framework, description, owner_email, intended_use, spiffe_id)
     VALUES ($1, $2, ${DEFAULT_ORG}, $3, $4, $5, $6, $7) RETURNING id::text AS id, ${PUBLIC_COLUMNS}`,
    [uuid, agent_id, framework ?? 'custom', ...[description, owner_email, intended_use, spiffe_id].map(orNull)],
  )
  if (!row) throw new Error('the database gave no row for a new agent')
  const { id, ...publicAgent } = row
  const key = spiffe_id === undefined ? await insertKey(transaction, random, 'agent', id, {}) : undefined
  return { agent: publicAgent, key }
}

function orNull(text: string | undefined): string | null {
  return text ?? null
}

/** Lists all agents by name. */
export function listAgents(database: Database): Promise<readonly RegisteredAgent[]> {
  return database.query(`SELECT ${PUBLIC_COLUMNS} FROM agents WHERE org_id = ${DEFAULT_ORG} ORDER BY agent_id`)
}

/** Returns the agent with this name or uuid, or undefined. */
export async function findAgent(database: Database, name: string): Promise<RegisteredAgent | undefined> {
  // PostgreSQL rejects U+0000 in text.
  if (name.includes('\0')) return undefined
  const [agent] = await database.query<RegisteredAgent>(
    `SELECT ${PUBLIC_COLUMNS} FROM agents WHERE org_id = ${DEFAULT_ORG} AND (agent_id = $1 OR agent_uuid = $1)`,
    [name],
  )
  return agent
}

/** Counts active agents, for the metrics. */
export async function countActiveAgents(database: Database): Promise<number> {
  const [row] = await database.query<{ count: number }>('SELECT count(*)::float8 AS count FROM agents WHERE is_active')
  return row?.count ?? 0
}

/** Deactivates an agent and revokes all its keys, in the caller's transaction. Its row stays. */
export async function deactivateAgent(transaction: Database, agent: RegisteredAgent): Promise<void> {
  await transaction.query('UPDATE agents SET is_active = false WHERE agent_uuid = $1', [agent.agent_uuid])
  await revokeKeys(transaction, agent, ['agent', 'developer'])
}

/**
 * Revokes the agent's own keys, returns a new one and activates the agent, in the caller's transaction. Developers' keys
 * stay valid.
 */
export async function rotateKey(transaction: Database, random: Random, agent: RegisteredAgent): Promise<string> {
  await transaction.query('UPDATE agents SET is_active = true WHERE agent_uuid = $1', [agent.agent_uuid])
  await revokeKeys(transaction, agent, ['agent'])
  return insertKey(transaction, random, 'agent', await rowId(transaction, agent), {})
}

/** Creates a key for a developer of an agent. */
export async function insertDeveloperKey(
  database: Database,
  random: Random,
  agent: RegisteredAgent,
  developer: Readonly<{ email: string; name: string | undefined; expiresDays: number }>,
): Promise<string> {
  return insertKey(database, random, 'developer', await rowId(database, agent), developer)
}

async function rowId(database: Database, { agent_uuid }: RegisteredAgent): Promise<string> {
  const [row] = await database.query<{ id: string }>('SELECT id::text AS id FROM agents WHERE agent_uuid = $1', [
    agent_uuid,
  ])
  if (!row) throw new Error('the agent is gone')
  return row.id
}

function revokeKeys(database: Database, { agent_uuid }: RegisteredAgent, kinds: readonly KeyKind[]): Promise<unknown> {
  return database.query(
    `UPDATE api_keys SET revoked_at = now() WHERE revoked_at IS NULL AND kind = ANY($2::text[])
       AND agent_id = (SELECT id FROM agents WHERE agent_uuid = $1)`,
    [agent_uuid, kinds],
  )
}

async function insertKey(
  database: Database,
  random: Random,
  kind: KeyKind,
  agentRow: string,
  developer: Readonly<{ email?: string; name?: string | undefined; expiresDays?: number }>,
): Promise<string> {
  const key = createKey(kind, random)
  const { hash, prefix } = storedKey(key)
  const { email, name, expiresDays } = developer
  await database.query(
    `INSERT INTO api_keys (kind, key_hash, key_prefix, agent_id, org_id, role, developer_email, name, expires_at)
     SELECT $1, $2, $3, a.id, a.org_id, 'AGENT', $5, $6, now() + make_interval(days => $7::int)
     FROM agents a WHERE a.id = $4::uuid`,
    [kind, hash, prefix, agentRow, email ?? null, name ?? null, expiresDays ?? null],
  )
  return key
}
