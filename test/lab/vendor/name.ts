/** The names under which the lab host answers in the place of vendors. */

/** What a host of production asks, and where these send it on to. */
export const vendorNames = [
  'download.docker.com',
  'registry-1.docker.io',
  'auth.docker.io',
  'production.cloudflare.docker.com',
  'nodejs.org',
  'github.com',
  'release-assets.githubusercontent.com',
  'python.example',
] as const

/** A workplace's own index of Python packages: a machine has it in its configuration of pip. */
export const packageIndex = 'python.example' satisfies VendorName

/** Debian's mirrors, which a machine without a way out over IPv4 reaches by the lab host. */
export const mirrorNames = ['deb.debian.org', 'security.debian.org'] as const

export type VendorName = (typeof vendorNames)[number]
