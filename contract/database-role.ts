/** The roles of a host's own database; templates/postgres/role.sql makes all but the superuser. */

/** Of the gateway, of the owner of the tables, of what reads everything, and of what copies the cluster as it stands on disk. The superuser only makes roles, and creates, renames and drops databases. */
export const ROLE = {
  gateway: 'tappass',
  owner: 'tappass_owner',
  reader: 'tappass_backup',
  archive: 'tappass_archive',
  superuser: 'postgres',
} as const

/** Those that are made for us. */
export const OWN_ROLES: readonly string[] = [ROLE.gateway, ROLE.owner, ROLE.reader, ROLE.archive]
