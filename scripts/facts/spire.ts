/** What SPIRE's server and agent on a host know: entries, attested agents, and who the agent here is. */
import { X509Certificate } from 'node:crypto'
import { HOST_PATH } from '../../contract/path.ts'
import type { Fact } from '../core/host.ts'

/** A registration entry. `isPlain`: it gives nothing but the SVID itself (no administration, no other trust domains, no end). */
export type SpireEntry = Readonly<{
  id: string
  spiffeId: string
  parentId: string
  /** As `unix:user:planner`, sorted. */
  selectors: readonly string[]
  x509SvidSeconds: number
  jwtSvidSeconds: number
  /** Host names that its X.509-SVIDs have beside the SPIFFE ID. */
  dnsNames: readonly string[]
  isPlain: boolean
}>

/** Who the agent here is, of its own data; without its key they are worth nothing. */
export type SpireAgent = Readonly<{ id: string; validToMs: number }>

/** `server` is undefined where none answers. `agent` is undefined where none was attested. */
export type SpireState = Readonly<{
  server:
    | Readonly<{ entries: readonly SpireEntry[]; bannedAgents: readonly string[]; agents: readonly string[] }>
    | undefined
  agent: SpireAgent | undefined
  nowMs: number
}>

/** The server's program, for questions and changes; its socket is root's and its own. */
export const SPIRE_SERVER = `${HOST_PATH.currentSpire}/bin/spire-server`

const DIVIDER = '=== tappass'
const SCRIPT = `socket=$2; date +%s%3N
echo '${DIVIDER}'
[ ! -S "$socket" ] || timeout 10 "$1" entry show -socketPath "$socket" -output json
echo '${DIVIDER}'
[ ! -S "$socket" ] || timeout 10 "$1" agent list -socketPath "$socket" -output json
echo '${DIVIDER}'
[ ! -s "$3/keys.json" ] || cat "$3/agent-data.json"
:`

type Id = Readonly<{ trust_domain: string; path: string }>
type Entry = Readonly<{
  id: string
  spiffe_id: Id
  parent_id: Id
  selectors: readonly Readonly<{ type: string; value: string }>[]
  x509_svid_ttl: number
  jwt_svid_ttl: number
  expires_at: string
  dns_names: readonly string[]
  federates_with: readonly string[]
  hint: string
}> &
  Readonly<Record<'admin' | 'downstream' | 'store_svid', boolean>>
type Agent = Readonly<{ id: Id }> & Readonly<Record<'banned', boolean>>

function textOf({ trust_domain: domain, path }: Id): string {
  return `spiffe://${domain}${path}`
}

function parseEntry(entry: Entry): SpireEntry {
  const {
    admin,
    downstream,
    store_svid: isStored,
    expires_at: end,
    dns_names: names,
    federates_with: others,
    hint,
  } = entry
  return {
    id: entry.id,
    spiffeId: textOf(entry.spiffe_id),
    parentId: textOf(entry.parent_id),
    selectors: entry.selectors.map(({ type, value }) => `${type}:${value}`).toSorted(),
    x509SvidSeconds: entry.x509_svid_ttl,
    jwtSvidSeconds: entry.jwt_svid_ttl,
    dnsNames: names,
    isPlain: !admin && !downstream && !isStored && end === '0' && others.length === 0 && hint === '',
  }
}

function parseServer(entries: string, agents: string): SpireState['server'] {
  try {
    const { entries: shown } = JSON.parse(entries) as { entries: readonly Entry[] }
    const { agents: listed } = JSON.parse(agents) as { agents: readonly Agent[] }
    return {
      entries: shown.map(parseEntry),
      agents: listed.map(({ id }) => textOf(id)),
      bannedAgents: listed.filter(({ banned }) => banned).map(({ id }) => textOf(id)),
    }
  } catch {
    return undefined
  }
}

/** Of its first certificate: the SPIFFE ID, and until when it is valid. */
function parseAgent(data: string): SpireAgent | undefined {
  try {
    const [first = ''] = (JSON.parse(data) as { svid: readonly string[] }).svid
    const { subjectAltName, validToDate } = new X509Certificate(Buffer.from(first, 'base64'))
    const id = /^URI:(spiffe:\/\/\S+)$/.exec(subjectAltName ?? '')?.[1]
    return id === undefined ? undefined : { id, validToMs: validToDate.getTime() }
  } catch {
    return undefined
  }
}

/** The state of both; asked in one process, beside the other questions. */
export const spireFact: Fact<SpireState> = {
  query: {
    argv: ['sh', '-c', SCRIPT, 'sh', SPIRE_SERVER, HOST_PATH.spireServerSocket, HOST_PATH.spireAgentFolder],
    effect: 'read',
    isLong: true,
  },
  parse: ({ stdout }) => {
    const [now = '', entries = '', agents = '', data = ''] = stdout.split(`${DIVIDER}\n`)
    return { nowMs: Number(now), server: parseServer(entries, agents), agent: parseAgent(data) }
  },
}
