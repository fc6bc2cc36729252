/** `tappass bundle create|verify`: everything that a host needs of the network, in one signed file for a platform. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { measurementStore } from '../artifacts/measurement-store.ts'
import { parsePins } from '../artifacts/pin.ts'
import { measureToolkit } from '../artifacts/toolkit-archive.ts'
import { gatherFiles } from '../bundle/bundle-content.ts'
import { openBundle } from '../bundle/bundle-file.ts'
import { BUNDLE_FORMAT, type BundleManifest } from '../bundle/bundle-manifest.ts'
import { writeBundle } from '../bundle/bundle-writer.ts'
import { type BundlePlatform, readPlatform } from '../bundle/platform.ts'
import type { Downloader } from '../bundle/tool.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { readAuthority, readAuthorityKey } from '../control/license-file.ts'
import { usageFailure } from '../core/failure.ts'
import type { Fetched } from '../core/resource.ts'
import { sha256Of } from '../core/sha256.ts'
import { hostTraitsFact } from '../facts/host-trait.ts'
import { recipe } from '../recipe.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { createMeasurements, readHostSpec } from '../spec/spec-reader.ts'

type Text = (path: string) => string

function requiredOption(invocation: Invocation, name: string): string {
  const value = textOption(invocation, name)
  if (value !== undefined) return resolve(invocation.workingFolder, value)
  throw usageFailure(`"bundle ${invocation.action}" needs "--${name}"`, `tappass bundle ${invocation.action} --help`)
}

/** What the resources of a host of the platform get from elsewhere. */
async function fetchedBy(spec: HostSpec, text: Text, { traits }: BundlePlatform): Promise<readonly Fetched[]> {
  const getFact = async (fact: unknown): Promise<never> => {
    if (fact === hostTraitsFact) return traits as never
    throw new Error('what a resource fetches depends on the traits of the host alone')
  }
  const resources = recipe(spec, text).flatMap((role) => role.resources)
  const rows = await Promise.all(resources.map(async ({ fetches }) => (await fetches?.(getFact)) ?? []))
  return rows.flat()
}

function downloaderOf(invocation: Invocation): Downloader {
  const { root, workingFolder, environment, interrupt, stderr } = invocation
  const cache = textOption(invocation, 'cache')
  return {
    cache: cache === undefined ? join(root, '.tappass/bundle') : resolve(workingFolder, cache),
    report: (line) => void stderr.write(`${line}\n`),
    ...{ interrupt, environment },
  }
}

/** Without them npm's and MkDocs' parts of the manifest would be those of nothing. */
function requirementsOf(root: string, text: Text): string {
  return existsSync(join(root, 'docs/requirements.txt')) ? text('docs/requirements.txt') : ''
}

async function create(invocation: Invocation): Promise<number> {
  const platform = readPlatform(textOption(invocation, 'platform'))
  const out = requiredOption(invocation, 'out')
  const key = readAuthorityKey(requiredOption(invocation, 'key'))
  const { root, workingFolder, nowMs } = invocation
  const text: Text = (path) => readFileSync(join(root, path), 'utf8')
  const config = textOption(invocation, 'config')
  const measurements = createMeasurements(invocation)
  const target = { config: config === undefined ? undefined : resolve(workingFolder, config) }
  const spec = await readHostSpec(invocation, target, undefined, measurements)
  const aptSources = textOption(invocation, 'apt-sources')
  const versions = text('versions.yaml')
  const gathered = await gatherFiles(
    downloaderOf(invocation),
    {
      ...{ platform, spec, versions, nodeMirror: spec.downloads.node },
      fetched: await fetchedBy(spec, text, platform),
      toolkit: await measureToolkit(root, measurementStore(root, nowMs)),
      aptSources: aptSources === undefined ? undefined : resolve(workingFolder, aptSources),
    },
    parsePins(versions).node[0]?.version ?? '',
  )
  const manifest: BundleManifest = {
    ...{ format: BUNDLE_FORMAT, platform: platform.name, release: spec.release.version },
    lock: sha256Of(text('package-lock.json')),
    requirements: sha256Of(requirementsOf(root, text)),
    files: gathered.map(({ file }) => file),
  }
  await writeBundle(out, manifest, key, new Map(gathered.map(({ file, source }) => [file.path, source])))
  invocation.stdout.write(render(manifest, isGiven(invocation, 'json')))
  return EXIT_CODE.upToDate
}

const MEGABYTE = 1 << 20

function render(manifest: BundleManifest, isJson: boolean): string {
  if (isJson) return `${JSON.stringify(manifest)}\n`
  const rows = manifest.files.map(
    ({ path, bytes, sha256 }) => `${sha256}  ${(bytes / MEGABYTE).toFixed(1).padStart(7)} MB  ${path}`,
  )
  return [`release   ${manifest.release}`, `platform  ${manifest.platform}`, ...rows, ''].join('\n')
}

async function verify(invocation: Invocation): Promise<number> {
  const path = resolve(invocation.workingFolder, invocation.operands[0] as string)
  const { manifest } = await openBundle(path, readAuthority(requiredOption(invocation, 'public-key')))
  invocation.stdout.write(render(manifest, isGiven(invocation, 'json')))
  return EXIT_CODE.upToDate
}

/** Runs the action. Returns the exit code; a bundle that does not hold is a failure with exit code 5. */
export async function run(invocation: Invocation): Promise<number> {
  return await (invocation.action === 'create' ? create : verify)(invocation)
}
