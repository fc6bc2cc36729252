/** The toolkit as one archive: a release and the pages, from which a machine without a network is what this clone is. */
import type { ReleaseArchive } from './artifact.ts'
import { forgetful, type MeasurementStore } from './measurement-store.ts'
import { listReleaseFiles, measurePack } from './release-archive.ts'
import { listPageFiles } from './site-pages.ts'

/** Measures the toolkit in a clone. Throws a `Failure` where a page is missing. */
export async function measureToolkit(root: string, store: MeasurementStore = forgetful): Promise<ReleaseArchive> {
  const names = new Set([...(await listReleaseFiles(root)), ...listPageFiles(root)])
  return await measurePack(root, [...names].toSorted(), { subject: 'toolkit', label: 'toolkit', store })
}
