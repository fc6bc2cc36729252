/** The systemd units of a host, and the accounts that they run as. Files in `units/` have these names; a test compares. */

/** By meaning. `gateway` is the template; `gatewayInstance` names its instances. */
export const UNIT = {
  target: 'tappass.target',
  socket: 'tappass.socket',
  gateway: 'tappass@.service',
  migrate: 'tappass-migrate.service',
  postgres: 'tappass-postgres.service',
  redis: 'tappass-redis.service',
  caddy: 'tappass-caddy.service',
  backup: 'tappass-backup.service',
  backupTimer: 'tappass-backup.timer',
  firewall: 'tappass-firewall.service',
  guard: 'tappass-guard.service',
} as const

/** How many instances of the gateway share the socket, unless a setting says otherwise. */
export const INSTANCES_DEFAULT = 2

/** The accounts: of the gateway with its migrations and backups, and of Caddy. */
export const ACCOUNT = { gateway: 'tappass', caddy: 'tappass-caddy' } as const

/** The name of the unit that stands in for another one while that is restarted. */
export function standbyUnit(name: string): string {
  return name.replace('.service', '-standby.service')
}

/** The name of the gateway's instance `number`, counted from 1. */
export function gatewayInstance(number: number): string {
  return UNIT.gateway.replace('@.', `@${number}.`)
}

/** The names of that many instances. */
export function gatewayInstances(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => gatewayInstance(index + 1))
}

/** The first word of an instance's status (STATUS=, sd_notify) while all that it needs answers; any other says what does not. */
export const SERVING = 'serving'
