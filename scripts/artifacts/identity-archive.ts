/** Where the archives of SPIRE and of spiffe-helper are, by what their vendors call them. */
import type { Pins } from './pin.ts'

/** The name of a pin. */
export type IdentityProgram = 'spire' | 'spiffe-helper'

const FILES: Readonly<Record<IdentityProgram, (version: string, architecture: string) => string>> = {
  spire: (version, architecture) =>
    `spire-${version}-linux-${architecture === 'x64' ? 'amd64' : architecture}-musl.tar.gz`,
  'spiffe-helper': (version, architecture) =>
    `spiffe-helper_v${version}_Linux-${architecture === 'x64' ? 'x86_64' : architecture}.tar.gz`,
}

/** Returns platform, address and checksum of each archive of a program; `site` is a mirror. */
export function identityArchives(
  pins: Pins,
  program: IdentityProgram,
  site: string = pins[program].download,
): readonly Readonly<{ platform: string; url: string; sha256: string }>[] {
  const { version, archives } = pins[program]
  return Object.entries(archives).map(([platform, sha256]) => {
    const file = FILES[program](version, platform.replace('linux-', ''))
    return { platform, sha256, url: `${site}/v${version}/${file}` }
  })
}
