/**
 * Makes `server/adapters/pglite-VERSION.tar.zst`: an empty database as PGlite's own initdb leaves it, so that nobody has
 * to wait for that. Run it after an update of PGlite: `node test/server/adapters/pglite-template.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, zstdCompressSync } from 'node:zlib'
import { PGlite } from '@electric-sql/pglite'

const root = join(import.meta.dirname, '../../../..')
const manifest = readFileSync(join(root, 'node_modules/@electric-sql/pglite/package.json'), 'utf8')
const { version } = JSON.parse(manifest) as { version: string }
const pglite = await PGlite.create()
const archive = await pglite.dumpDataDir('none')
await pglite.close()
const params = { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_enableLongDistanceMatching]: 1 }
const packed = zstdCompressSync(new Uint8Array(await archive.arrayBuffer()), { params })
const path = join(root, `server/adapters/pglite-${version}.tar.zst`)
writeFileSync(path, packed)
process.stdout.write(`${path}: ${packed.length} bytes\n`)
