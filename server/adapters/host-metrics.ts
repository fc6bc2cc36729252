/** What the jobs of a host have left as metrics (check, drift, drill): read from their files, so that one address has all there is to know. */
import { readFile } from 'node:fs/promises'
import { HOST_PATH } from '../../contract/path.ts'
import { type Family, parseGauges } from '../observability/exposition.ts'

/** Where the jobs of a host leave theirs. */
export const HOST_METRIC_FILES: readonly string[] = [
  `${HOST_PATH.checkFolder}/tappass.prom`,
  `${HOST_PATH.driftFolder}/tappass-drift.prom`,
  `${HOST_PATH.drillFolder}/tappass-drill.prom`,
]

/** Returns the families in these files. One that is not there, or may not be read, has none; of a name that stands in two, the first counts. */
export async function readHostMetrics(paths: readonly string[] = HOST_METRIC_FILES): Promise<readonly Family[]> {
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')))
  const families = new Map<string, Family>()
  for (const family of texts.flatMap(parseGauges)) if (!families.has(family.name)) families.set(family.name, family)
  return [...families.values()]
}
