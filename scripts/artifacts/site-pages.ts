/** The pages that the documentation's site is built from, as a pack of their own: another word in one of them is no other release. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HOST_PATH } from '../../contract/path.ts'
import { refusedFailure } from '../core/failure.ts'
import type { ReleaseArchive } from './artifact.ts'
import { forgetful, type MeasurementStore } from './measurement-store.ts'
import { filesBelow, measurePack } from './release-archive.ts'

/** MkDocs' own configuration, and what says which MkDocs, with its hashes. */
const CONFIGURATION = 'mkdocs.yml'
const REQUIREMENTS = 'docs/requirements.txt'
/** The script that draws diagrams: docs/theme/mermaid.py puts it on the site. */
const DIAGRAMS = ['LICENSE', 'dist/mermaid.tiny.js'].map((name) => `node_modules/@mermaid-js/tiny/${name}`)

/** `requirements` is pip's file, with the hash of each package. */
export type SitePages = ReleaseArchive & Readonly<{ requirements: string }>

/** An installed release holds no pages: on the server itself they are where the last run has put them. */
const INSTALLED = `${HOST_PATH.sitePagesFolder}/current`

/** Returns the names of the files of the pages, sorted. Throws a `Failure` (exit 5) where one is missing. */
export function listPageFiles(folder: string): readonly string[] {
  // What Python leaves beside a hook that somebody ran here is no page.
  const pages = filesBelow(folder, 'docs').filter((name) => !name.includes('/__pycache__/'))
  const names = [CONFIGURATION, ...pages, ...DIAGRAMS].toSorted()
  const missing = names.find((name) => !existsSync(join(folder, name)))
  if (missing !== undefined)
    throw refusedFailure('cannot read the pages of the site', `${join(folder, missing)} is missing`, 'tappass version')
  return names
}

/** Measures the pages of a clone, or those that are installed on this machine. Throws a `Failure` (exit 5) where there are none. */
export async function measurePages(
  root: string,
  store: MeasurementStore = forgetful,
  installed = INSTALLED,
): Promise<SitePages> {
  const folder = [root, installed].find((each) => existsSync(join(each, REQUIREMENTS)))
  if (folder === undefined) {
    throw refusedFailure(
      'there are no pages to build the site from',
      `neither ${root} nor ${installed} holds ${REQUIREMENTS}`,
      'run it from a clone, or set site: none in host.yaml',
    )
  }
  const pack = await measurePack(folder, listPageFiles(folder), { subject: 'pages', label: 'pages', store })
  return { ...pack, requirements: readFileSync(join(folder, REQUIREMENTS), 'utf8') }
}
