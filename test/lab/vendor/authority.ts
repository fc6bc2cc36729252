/** The certificate authority of the lab, and the certificate of the lab host as the vendors. Made once for each cache; only lab machines believe it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { demand } from '../execution.ts'
import { buildOnce, recipeKey } from '../keyed-folder.ts'
import { cachePath } from '../setting.ts'
import { vendorNames } from './name.ts'

/** Files in PEM. */
export type Authority = Readonly<{ authority: string; certificate: string; key: string }>

const days = '3650'
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', days] as const

async function makeAuthority(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const at = (name: string): string => join(folder, name)
  const sign = ['openssl', 'req', '-x509', ...newKey] as const
  await demand([
    ...sign,
    ...['-subj', '/CN=TapPass lab', '-keyout', at('authority.key'), '-out', at('authority.crt')],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign'],
  ])
  const names = vendorNames.map((name) => `DNS:${name}`).join(',')
  await demand([
    ...sign,
    ...['-CA', at('authority.crt'), '-CAkey', at('authority.key'), '-subj', '/CN=vendors of the TapPass lab'],
    ...['-keyout', at('vendors.key'), '-out', at('vendors.crt')],
    ...['-addext', `subjectAltName=${names}`, '-addext', 'extendedKeyUsage=serverAuth'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
  ])
}

/** Gives the authority's certificate, and the certificate and key that it gave the lab host for the vendors' names. */
export async function ensureAuthority(): Promise<Authority> {
  const folder = await buildOnce(cachePath('vendors', `authority-${recipeKey(vendorNames)}`), makeAuthority)
  const [authority, certificate, key] = ['authority.crt', 'vendors.crt', 'vendors.key'].map((name) =>
    join(folder, name),
  ) as [string, string, string]
  return { authority, certificate, key }
}
