/** PostgreSQL 16 from the Python package that carries it, for the lab's image and for tests that want a server. */
import { rm } from 'node:fs/promises'
import { demand } from './execution.ts'
import { buildOnce } from './keyed-folder.ts'
import { cachePath } from './setting.ts'

/** The package and its version, as pip names them. */
export const postgresWheel = 'pgserver==0.1.4'

/** Which of the package's files: the one for the processor that the lab's machines have too. */
const platform = ['--python-version=311', '--implementation=cp', '--abi=cp311', '--platform=manylinux2014_x86_64']

/**
 * Gives the folder that the package is unpacked in, downloaded first where the cache lacks it: `pgserver/pginstall` with
 * bin, lib and share, and the libraries in `pgserver.libs`. Python's unpacking makes nothing in it executable: whoever takes it does.
 */
export function ensurePostgresFiles(): Promise<string> {
  return buildOnce(cachePath('postgres', postgresWheel.replace('==', '-')), async (target) => {
    const work = `${target}.wheel`
    await rm(work, { recursive: true, force: true })
    const how = ['--quiet', '--no-deps', '--only-binary=:all:', ...platform, `--dest=${work}`]
    await demand(['pip', 'download', ...how, postgresWheel])
    await demand(['sh', '-c', 'exec python3 -m zipfile -e "$1"/*.whl "$2"', 'unzip', work, target])
    await rm(work, { recursive: true, force: true })
  })
}
