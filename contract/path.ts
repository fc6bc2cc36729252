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
  /** Which files of the controller went into this host: by their digests, without a path. */
  inputs: `${CONFIG}/inputs.json`,
  /** What was not there before us, a line for each thing: what `uninstall` goes by. */
  madeRecord: `${CONFIG}/made`,
  gatewayEnvironment: `${CONFIG}/gateway.env`,
  /** While instances are being moved: what those that were moved already read. */
  nextGatewayEnvironment: `${CONFIG}/gateway.env.next`,
  caddyEnvironment: `${CONFIG}/caddy.env`,
  caddyfile: `${CONFIG}/Caddyfile`,
  tunnelConfig: `${CONFIG}/cloudflared.yml`,
  /** Where copies of backups go, and the key that they are sealed to; both are public. */
  backupStoreSettings: `${CONFIG}/backup-store.json`,
  postgresConfigFolder: `${CONFIG}/postgres`,
  redisConfigFolder: `${CONFIG}/redis`,
  /** A folder for each policy: its signed bundle, and the settings of the OPA that serves it. */
  opaConfigFolder: `${CONFIG}/opa`,
  spireConfigFolder: `${CONFIG}/spire`,
  spireServerConfig: `${CONFIG}/spire/server.conf`,
  spireAgentConfig: `${CONFIG}/spire/agent.conf`,
  /** By which the agent knows its server at its first contact; public. */
  spireBundle: `${CONFIG}/spire/bundle.pem`,
  spiffeHelperConfig: `${CONFIG}/spire/spiffe-helper.conf`,

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
  opaFolder: `${PROGRAMS}/opa`,
  currentOpa: `${PROGRAMS}/opa/current`,
  cloudflaredFolder: `${PROGRAMS}/cloudflared`,
  currentCloudflared: `${PROGRAMS}/cloudflared/current`,
  /** Sets which of two Caddys gets new connections. */
  listenerRule: `${PROGRAMS}/caddy/listener-rule.pl`,

  spireFolder: `${PROGRAMS}/spire`,
  currentSpire: `${PROGRAMS}/spire/current`,
  spiffeHelperFolder: `${PROGRAMS}/spiffe-helper`,
  currentSpiffeHelper: `${PROGRAMS}/spiffe-helper/current`,
  /** The pages that the documentation's site is built from: `releases/VERSION`, and `current`, those that it was built from. */
  sitePagesFolder: `${PROGRAMS}/site`,
  /** MkDocs, in a virtual environment for each set of requirements. */
  mkdocsFolder: `${PROGRAMS}/mkdocs`,

  stateFolder: STATE,
  postgresFolder: `${STATE}/postgres`,
  /** PostgreSQL's data. While it exists, there are data that need the keys they were written with. */
  postgresCluster: `${STATE}/postgres/cluster`,
  /** The log of PostgreSQL, archived: a folder for each cluster. */
  walFolder: `${STATE}/wal`,
  /** Which segment of it was let go, since the last base backup. */
  walGap: `${STATE}/postgres/wal-gap`,
  /** Says, outside of their folder, that there are data, and of which version of PostgreSQL: written once a server has run on them. */
  clusterMarker: `${STATE}-cluster`,
  /** Signed checkpoints of the ledger, outside its database. */
  checkpointFolder: `${STATE}/checkpoints`,
  caddyStateFolder: `${STATE}/caddy`,
  /** The authority's keys, its entries and its agents. */
  spireServerFolder: `${STATE}/spire-server`,
  /** The agent's own SVID and key. */
  spireAgentFolder: `${STATE}/spire-agent`,
  backupFolder: `${STATE}/backup`,
  /** The set that a bare host is being made from, until its database is in force. */
  foundingNote: `${STATE}/backup/.founding`,
  /** What is noted of copies that are being made, and how the last run of the copy went. */
  backupCopyFolder: `${STATE}/backup-copy`,
  /** The built site: `builds/VERSION`, and `current`, which the ingress serves. */
  siteFolder: `${STATE}/site`,
  /** The container images that were brought to the host. */
  imageRecord: `${STATE}/images`,
  /** The digests of the address that migrations were run at last, where the database is elsewhere; absent where it is on the host. */
  migratedAddress: `${STATE}/migrated-address`,
  /** Which data were moved to a database elsewhere, where the host's own still has them. */
  movedDatabase: `${STATE}/moved-database.json`,
  /** While data are brought back from a database elsewhere: how far that is. */
  broughtDatabase: `${STATE}/brought-database.json`,
  /** What the last check of the timer has found. */
  checkFolder: `${STATE}/check`,
  /** What the last look for drift has found. */
  driftFolder: `${STATE}/drift`,
  /** The log of drills, and where they work. */
  drillFolder: `${STATE}/drill`,
  /** A marker for each secret that was generated and not shown yet. */
  unshownSecretsFolder: `${STATE}/unshown`,

  /** The log of the runs that changed this host, for root only; not in `stateFolder`, which goes with the data. */
  historyFolder: `${STATE}-history`,

  runtimeFolder: RUNTIME,
  /** The revision that each unit runs, and what it read when it started. */
  revisionFolder: `${RUNTIME}/revision`,
  postgresSocketFolder: `${RUNTIME}/postgres`,
  redisSocketFolder: `${RUNTIME}/redis`,
  opaSocketFolder: `${RUNTIME}/opa`,
  spireServerSocket: `${RUNTIME}/spire-server/api.sock`,
  /** The Workload API: every process of the host may ask there. */
  spireAgentSocket: `${RUNTIME}/spire-agent/api.sock`,
  /** The gateway's SVID and the bundles, kept fresh by spiffe-helper. */
  svidFolder: `${RUNTIME}-svid`,
  /** What Redis' default user may do, written when it starts. */
  redisDefaultUser: `${RUNTIME}/redis.env`,
  /** Docker's client looks for its own configuration here, and there is none. */
  dockerConfigFolder: `${RUNTIME}/docker`,
  /** Locks and marks of the toolkit's own runs; not in `runtimeFolder`, which the first run makes. */
  convergeFolder: `${RUNTIME}-converge`,
  /** The processes of a new release that were watched to the end of their time. */
  soaked: `${RUNTIME}-converge/soaked`,
  /** What a run that goes on as a unit of the host was given, and its events; for root only. */
  runFolder: `${RUNTIME}-converge/run`,
  /** Files of the controller that such a run needs, until it ends. */
  sentFilesFolder: `${STATE}-sent`,
  /** The copy of the toolkit that an uninstall runs from; beside what it takes away. */
  uninstallFolder: `${PROGRAMS}-uninstall`,

  packetFilter: `${CONFIG}/firewall.nft`,
  /** Digests of the file and of the rules, as they were when the rules were loaded. */
  loadedPacketFilter: `${RUNTIME}-firewall/loaded`,
  /** Who is let out, by name; the names' addresses as they were found last; the script that finds them. */
  outboundList: `${CONFIG}/outbound`,
  outboundFolder: `${STATE}/outbound`,
  outboundScript: `${PROGRAMS}/outbound-addresses`,
  /** What was there before a change that has to be confirmed; it outlives a reboot. */
  guardFolder: `${STATE}-guard`,

  encryptedCredentialsFolder: '/etc/credstore.encrypted',
  credentialsFolder: '/etc/credstore',
} as const
