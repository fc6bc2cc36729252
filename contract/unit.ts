/** The systemd units of a host, and the accounts that they run as. Files in `units/` have these names; a test compares. */

/** By meaning. `gateway`, `opa` and `tunnel` are templates; `gatewayInstance`, `opaInstance` and `connectors` name their instances. */
export const UNIT = {
  target: 'tappass.target',
  socket: 'tappass.socket',
  gateway: 'tappass@.service',
  migrate: 'tappass-migrate.service',
  postgres: 'tappass-postgres.service',
  redis: 'tappass-redis.service',
  opa: 'tappass-opa@.service',
  caddy: 'tappass-caddy.service',
  tunnel: 'tappass-tunnel@.service',
  spireServer: 'tappass-spire-server.service',
  spireAgent: 'tappass-spire-agent.service',
  spiffeHelper: 'tappass-spiffe-helper.service',
  spiffeSocket: 'tappass-spiffe.socket',
  backup: 'tappass-backup.service',
  backupTimer: 'tappass-backup.timer',
  backupCopy: 'tappass-backup-copy.service',
  backupCopyTimer: 'tappass-backup-copy.timer',
  backupCopyPath: 'tappass-backup-copy.path',
  check: 'tappass-check.service',
  checkTimer: 'tappass-check.timer',
  firewall: 'tappass-firewall.service',
  outbound: 'tappass-outbound.service',
  outboundTimer: 'tappass-outbound.timer',
  guard: 'tappass-guard.service',
  drift: 'tappass-drift.service',
  driftTimer: 'tappass-drift.timer',
  repair: 'tappass-repair.service',
  drill: 'tappass-drill.service',
  drillTimer: 'tappass-drill.timer',
} as const

/** Those of identities, in the order in which they are ended; a host without a trust domain has none of them. */
export const IDENTITY_UNITS = [UNIT.spiffeHelper, UNIT.spireAgent, UNIT.spireServer, UNIT.spiffeSocket] as const

/** How many instances of the gateway share the socket, unless a setting says otherwise. */
export const INSTANCES_DEFAULT = 2

/**
 * The accounts: of the gateway with its migrations and backups, of Caddy, of OPA, of SPIRE's server and agent, and of
 * spiffe-helper.
 */
export const ACCOUNT = {
  gateway: 'tappass',
  caddy: 'tappass-caddy',
  opa: 'tappass-opa',
  spireServer: 'tappass-spire',
  spireAgent: 'tappass-agent',
  spiffeHelper: 'tappass-svid',
} as const

/** The name of the unit that stands in for another one while that is restarted. */
export function standbyUnit(name: string): string {
  return name.replace('.service', '-standby.service')
}

/** The name of the OPA server with this key: one for each policy. */
export function opaInstance(key: string): string {
  return UNIT.opa.replace('@.', `@${key}.`)
}

/** The name of the gateway's instance `number`, counted from 1. */
export function gatewayInstance(number: number): string {
  return UNIT.gateway.replace('@.', `@${number}.`)
}

/** The names of that many instances. */
export function gatewayInstances(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => gatewayInstance(index + 1))
}

/** How many connectors of the tunnel a host runs: one of them is connected while another one restarts. */
export const CONNECTORS = 2

/** The two of which one or both are an ingress. */
export type IngressPart = 'caddy' | 'tunnel'

/** Returns what serves by the setting `ingress` as it is written: Caddy, unless another one is chosen. */
export function liveParts(ingress: unknown): readonly IngressPart[] {
  if (ingress === 'none') return []
  const { kind = 'caddy', live = 'caddy' } = (ingress ?? {}) as Readonly<{ kind?: string; live?: string }>
  const serving = kind === 'both' ? live : kind
  return (['caddy', 'tunnel'] as const).filter((part) => part === serving || serving === 'both')
}

/** The names of that many connectors of the tunnel. */
export function connectors(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => UNIT.tunnel.replace('@.', `@${index + 1}.`))
}

/** The first word of an instance's status (STATUS=, sd_notify) while all that it needs answers; any other says what does not. */
export const SERVING = 'serving'
