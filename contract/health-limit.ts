/** From where on something of a host is not well, for `tappass status` and for the check of the timer. */

/**
 * Below so much free space the next backup or a burst of calls fills the disk, and PostgreSQL stops; a file system that keeps no inodes has
 * none to run out of.
 */
export const FREE_MEGABYTES_MIN = 1024
export const FREE_INODES_SHARE_MIN = 0.02

/** Caddy renews with a third of the life left, SPIRE with half of it. With less than a fifth, renewing has failed for a while. */
export const LIFE_SHARE_MIN = 0.2
