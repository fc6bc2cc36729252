/** Builds the specification of a host: its file or current settings, options on top, and the measured files of the controller. */

import { dirname, resolve } from 'node:path'
import { HOST_PATH } from '../../contract/path.ts'
import type { LocalFile, LocalImage } from '../artifacts/artifact.ts'
import { assertCertificate, measureFile, measureImage, readSecret } from '../artifacts/artifact-measurement.ts'
import { measurementStore } from '../artifacts/measurement-store.ts'
import { measureRelease } from '../artifacts/release-archive.ts'
import { measurePages, type SitePages } from '../artifacts/site-pages.ts'
import type { Bundle } from '../bundle/bundle-file.ts'
import { readBundleOption } from '../bundle/bundle-option.ts'
import { assertOfRelease, type OfflineSource, offlineSource } from '../bundle/offline-source.ts'
import { commandHint } from '../command-line/command-hint.ts'
import { type Invocation, textOption, textOptions } from '../command-line/invocation.ts'
import { usageFailure } from '../core/failure.ts'
import { once, oncePer, oncePerPath } from '../core/once.ts'
import { type HostSpec, type ParsedSpec, parseHostSpec, validateHostOption } from './host-spec.ts'
import { type ImagesSpec, namesImageFile } from './image-spec.ts'
import { readRotationRequest } from './rotation-request.ts'
import { isMapping, type Mapping, mergeSettings } from './settings.ts'
import { wantsSite } from './site-spec.ts'
import { createLineFinder, parseYaml, readNamedFile } from './yaml-text.ts'

type ImageSpec = ImagesSpec[keyof ImagesSpec]

/**
 * Where the specification of a host comes from. `config` is the absolute path of a file; undefined: the current settings of the host. `own` is what an
 * inventory says of it: settings that lie over those, whose paths are absolute, and secrets by id, each the absolute path of a file.
 */
export type SpecSource = Readonly<{
  config: string | undefined
  own?: Readonly<{ where: string; settings: Mapping; secrets: Readonly<Record<string, string>> }>
}>

/** The settings that name an archive of programs. */
const ARCHIVES = ['node', 'caddy', 'cloudflared', 'spire', 'spiffeHelper'] as const

/** Options override the file. */
function withOptions(parsed: unknown, invocation: Invocation): unknown {
  if (parsed !== null && parsed !== undefined && !isMapping(parsed)) return parsed
  const domain = textOption(invocation, 'domain')
  const upstream = textOption(invocation, 'upstream')
  const gateway = parsed?.['gateway']
  return {
    ...parsed,
    ...(domain === undefined ? {} : { domain }),
    ...(upstream === undefined ? {} : { gateway: { ...(isMapping(gateway) ? gateway : {}), upstream } }),
  }
}

/** Keys that the settings on a host must not have: otherwise a host could choose which files of the controller are sent to it. */
const CONTROLLER_KEYS = ARCHIVES

/** Returns the key of the current settings that names such a file, if one does. */
function controllerKeyOf(parsed: Mapping): string | undefined {
  if (namesImageFile(parsed['images'])) return 'images'
  if (isMapping(parsed['site']) && parsed['site']['wheels'] !== undefined) return 'site'
  if (isMapping(parsed['opa']) && parsed['opa']['program'] !== undefined) return 'opa'
  return CONTROLLER_KEYS.find((key) => parsed[key] !== undefined)
}

/** Parses the current settings of a host. With another domain `tls` is determined again. */
function parseCurrentSettings(text: string, invocation: Invocation, own: Mapping): unknown {
  const parsed = parseYaml(text, HOST_PATH.settings)
  if (!isMapping(parsed)) return parsed
  const foreign = controllerKeyOf(parsed)
  if (foreign !== undefined) {
    throw usageFailure(
      `${HOST_PATH.settings} on the host names files of the controller (${foreign})`,
      commandHint(invocation, invocation.verb.name, '--config', 'FILE'),
    )
  }
  const domain = textOption(invocation, 'domain') ?? own['domain']
  if (domain === undefined || domain === parsed['domain']) return parsed
  const { tls: _, ...rest } = parsed
  return rest
}

function validateOptions(invocation: Invocation): void {
  for (const option of ['domain', 'upstream'] as const) {
    const value = textOption(invocation, option)
    if (value !== undefined) validateHostOption(invocation.verb.name, option, value)
  }
}

/**
 * Returns the specification with options and defaults. `currentSettings` is the text of the settings on the host, used without `--config`.
 * Throws a usage failure that lists every problem, or names the invalid option.
 */
export async function readParsedSpec(
  invocation: Invocation,
  { config, own }: SpecSource,
  currentSettings?: string,
): Promise<ParsedSpec> {
  validateOptions(invocation)
  const settings = own?.settings ?? {}
  const hasOwn = Object.keys(settings).length > 0
  const finish = (parsed: unknown, where: string, text?: string) =>
    parseHostSpec(
      withOptions(hasOwn ? mergeSettings(parsed, settings) : parsed, invocation),
      hasOwn ? `${where} with what ${own?.where} says` : where,
      // Of merged settings a line of the one file may be the value of the other.
      text === undefined || hasOwn ? undefined : createLineFinder(text),
    )
  if (config !== undefined) {
    const text = await readNamedFile(config)
    return finish(parseYaml(text, config), config, text)
  }
  if (currentSettings === undefined) return finish({}, 'the command line')
  return finish(parseCurrentSettings(currentSettings, invocation, settings), HOST_PATH.settings, currentSettings)
}

/** What is read and measured on the controller, once for all hosts of a run. */
export type Measurements = Readonly<{
  /** A specification that begins with a file. */
  parsedSpec: (source: SpecSource) => Promise<ParsedSpec>
  release: () => Promise<HostSpec['release']>
  pages: () => Promise<SitePages>
  /** Those of the command line, and where it has none those of the files. */
  secrets: (files?: Readonly<Record<string, string>>) => Promise<HostSpec['secrets']>
  file: (path: string) => Promise<LocalFile>
  image: (path: string) => Promise<LocalImage>
  /** What the command line names, verified. */
  bundle: () => Promise<Bundle | undefined>
}>

/** Creates the measurements of a command line; each is taken when it is first asked for. The pages of the site may be in another folder than the release. */
export function createMeasurements(invocation: Invocation, pagesRoot: string = invocation.root): Measurements {
  const { root, workingFolder, nowMs } = invocation
  const store = measurementStore(root, nowMs)
  const secretsOf = oncePer(async (files: Readonly<Record<string, string>>) => {
    const texts = [...Object.entries(files).map(([id, file]) => `${id}=${file}`), ...textOptions(invocation, 'secret')]
    const secrets = Object.fromEntries(await Promise.all(texts.map((text) => readSecret(text, workingFolder))))
    assertCertificate(secrets, nowMs())
    return secrets
  })
  return {
    parsedSpec: oncePer((source: SpecSource) => readParsedSpec(invocation, source)),
    release: once(() => measureRelease(root, store)),
    pages: once(() => measurePages(pagesRoot, store)),
    secrets: (files = {}) => secretsOf(files),
    file: oncePerPath((path) => measureFile(path, store)),
    image: oncePerPath((path) => measureImage(path, store)),
    bundle: once(() => readBundleOption(invocation)),
  }
}

/** What a bundle has stands before a file of the settings, which may be on another machine. */
async function measureArchive(
  bundle: OfflineSource | undefined,
  setting: string,
  path: string | undefined,
  { file }: Measurements,
): Promise<Readonly<{ archive?: LocalFile }>> {
  const archive = bundle?.fileOf(setting) ?? (path === undefined ? undefined : await file(path))
  return archive === undefined ? {} : { archive }
}

async function measureImageSpec(
  bundle: OfflineSource | undefined,
  setting: string,
  { archive: path, reference }: ImageSpec,
  { image }: Measurements,
) {
  const archive = bundle?.imageOf(setting) ?? (path === undefined ? undefined : await image(path))
  return { ...(archive && { archive }), ...(reference === undefined ? {} : { reference }) }
}

async function measureOpa(
  bundle: OfflineSource | undefined,
  { opa: { sha256 } }: ParsedSpec,
  path: string | undefined,
  { file }: Measurements,
): Promise<HostSpec['opa']> {
  const program = bundle?.fileOf('opa') ?? (path === undefined ? undefined : await file(path))
  return { ...(program && { program }), ...(sha256 === undefined ? {} : { sha256 }) }
}

async function measureSite(
  parsed: ParsedSpec,
  wheels: Promise<Readonly<{ archive?: LocalFile }>>,
  { pages }: Measurements,
): Promise<HostSpec['site']> {
  const { archive } = await wheels
  return wantsSite(parsed) ? { pages: await pages(), wheels: archive } : 'none'
}

/** Returns the specification for the roles. Paths in it are relative to its own folder. */
export async function readHostSpec(
  invocation: Invocation,
  source: SpecSource,
  currentSettings?: string,
  measurements: Measurements = createMeasurements(invocation),
): Promise<HostSpec> {
  const { config, own } = source
  const parsed = await (config === undefined
    ? readParsedSpec(invocation, source, currentSettings)
    : measurements.parsedSpec(own === undefined ? { config } : { config, own }))
  const folder = config === undefined ? invocation.workingFolder : dirname(config)
  const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(folder, path))
  const opened = await measurements.bundle()
  const bundle = opened && offlineSource(opened)
  const archive = (setting: (typeof ARCHIVES)[number]) =>
    measureArchive(bundle, setting, absolute(parsed[setting].archive), measurements)
  const image = (name: keyof ImagesSpec) => {
    const { archive: path, reference } = parsed.images[name]
    const found = { archive: absolute(path), reference } as ImageSpec
    return measureImageSpec(bundle, `images.${name}`, found, measurements)
  }
  const wheels = parsed.site === 'none' ? undefined : absolute(parsed.site.wheels)
  const [postgres, redis, node, caddy, cloudflared, spire, spiffeHelper, opa, site, release, secrets] =
    await Promise.all([
      image('postgres'),
      image('redis'),
      ...([
        archive('node'),
        archive('caddy'),
        archive('cloudflared'),
        archive('spire'),
        archive('spiffeHelper'),
      ] as const),
      measureOpa(bundle, parsed, absolute(parsed.opa.program), measurements),
      measureSite(parsed, measureArchive(bundle, 'site', wheels, measurements), measurements),
      measurements.release(),
      measurements.secrets(own?.secrets),
    ])
  if (opened !== undefined)
    assertOfRelease(opened, release.version, site === 'none' ? undefined : site.pages.requirements)
  const programs = { node, caddy, cloudflared, spire, spiffeHelper, opa, site }
  return { ...parsed, images: { postgres, redis }, ...programs, release, secrets, bundle }
}

/**
 * Throws a usage failure for what is wrong with the command line itself, whatever the hosts: before any is connected to, and once. A
 * specification of a single host (in the inventory) is that host's own matter.
 */
export async function validateCommandLine(invocation: Invocation, measurements: Measurements): Promise<void> {
  validateOptions(invocation)
  readRotationRequest(invocation)
  const config = textOption(invocation, 'config')
  await Promise.all([measurements.secrets(), measurements.bundle()])
  if (config !== undefined)
    await readHostSpec(invocation, { config: resolve(invocation.workingFolder, config) }, undefined, measurements)
}
