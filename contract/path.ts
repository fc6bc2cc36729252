/** Where things stand on a host. Units, templates and the Caddyfile, which can import nothing, say the same; a test compares. */

const CONFIG = '/etc/tappass'
const PROGRAMS = '/opt/tappass'
const STATE = '/var/lib/tappass'
const RUNTIME = '/run/tappass'

/** By meaning. `…Folder` is a folder; what stands in `run` is gone after a reboot. */
export const HOST_PATH = {
  configFolder: CONFIG,
  settings: `${CONFIG}/tappass.yaml`,
  versions: `${CONFIG}/versions.lock`,
  gatewayEnvironment: `${CONFIG}/gateway.env`,
  /** While instances are being moved: what those that were moved already read. */
  nextGatewayEnvironment: `${CONFIG}/gateway.env.next`,
  caddyEnvironment: `${CONFIG}/caddy.env`,
  caddyfile: `${CONFIG}/Caddyfile`,
  postgresConfigFolder: `${CONFIG}/postgres`,
  redisConfigFolder: `${CONFIG}/redis`,

  programFolder: PROGRAMS,
  releasesFolder: `${PROGRAMS}/releases`,
  currentRelease: `${PROGRAMS}/current`,
  /** The command on the PATH of a server, a link to the launcher of the current release. */
  command: '/usr/local/bin/tappass',
  nodeFolder: `${PROGRAMS}/node`,
  currentNode: `${PROGRAMS}/node/current`,
  nodeProgram: `${PROGRAMS}/node/current/bin/node`,
  caddyFolder: `${PROGRAMS}/caddy`,
  currentCaddy: `${PROGRAMS}/caddy/current`,

  stateFolder: STATE,
  postgresFolder: `${STATE}/postgres`,
  /** PostgreSQL's data. While it exists, there are data that need the keys they were written with. */
  postgresCluster: `${STATE}/postgres/cluster`,
  /** Signed checkpoints of the ledger, outside its database. */
  checkpointFolder: `${STATE}/checkpoints`,
  caddyStateFolder: `${STATE}/caddy`,
  backupFolder: `${STATE}/backup`,
  /** A marker for each secret that was generated and not shown yet. */
  unshownSecretsFolder: `${STATE}/unshown`,

  runtimeFolder: RUNTIME,
  /** The revision that each unit runs, and what it read when it started. */
  revisionFolder: `${RUNTIME}/revision`,
  postgresSocketFolder: `${RUNTIME}/postgres`,
  redisSocketFolder: `${RUNTIME}/redis`,
  /** What Redis' default user may do, written when it starts. */
  redisDefaultUser: `${RUNTIME}/redis.env`,
  /** Docker's client looks for its own configuration here, and there is none. */
  dockerConfigFolder: `${RUNTIME}/docker`,
  /** Locks and marks of the toolkit's own runs; not in `runtimeFolder`, which the first run makes. */
  convergeFolder: `${RUNTIME}-converge`,

  packetFilter: `${CONFIG}/firewall.nft`,
  /** Digests of the file and of the rules, as they were when the rules were loaded. */
  loadedPacketFilter: `${RUNTIME}-firewall/loaded`,
  /** What was there before a change that has to be confirmed; it outlives a reboot. */
  guardFolder: `${STATE}-guard`,

  encryptedCredentialsFolder: '/etc/credstore.encrypted',
  credentialsFolder: '/etc/credstore',
} as const
