/** `tappass render kubernetes|policy`: manifests for Kubernetes, on standard output. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { parsePins } from '../artifacts/pin.ts'
import { bundleKey, createBundle, readPolicyFiles } from '../artifacts/policy-bundle.ts'
import { CHART_FOLDER, openChart, type Release } from '../chart/chart.ts'
import { YAML_VERSION } from '../chart/chart-engine.ts'
import { type Invocation, textOption, textOptions } from '../command-line/invocation.ts'
import { Failure, usageFailure } from '../core/failure.ts'

/** What Kubernetes accepts as the name of a Service, and of a namespace. */
const NAME = { name: /^[a-z]([-a-z0-9]*[a-z0-9])?$/, namespace: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/ } as const
const NAME_LENGTH_MAX = { name: 53, namespace: 63 } as const

function nameOption(invocation: Invocation, option: 'name' | 'namespace', fallback: string): string {
  const name = textOption(invocation, option) ?? fallback
  const lengthMax = NAME_LENGTH_MAX[option]
  if (NAME[option].test(name) && name.length <= lengthMax) return name
  throw usageFailure(
    `"--${option} ${name}" is not a name: at most ${lengthMax} lower-case letters, digits and dashes, a letter first, no dash last`,
    `tappass render ${invocation.action} --help`,
  )
}

function readValues({ workingFolder }: Invocation, file: string): Readonly<Record<string, unknown>> {
  const refuse = (why: string): never => {
    throw new Failure(
      { what: 'values can’t be read', where: file, why, next: 'tappass render kubernetes --help' },
      EXIT_CODE.refused,
    )
  }
  let values: unknown
  try {
    values = parse(readFileSync(resolve(workingFolder, file), 'utf8'), YAML_VERSION) ?? {}
  } catch (cause) {
    return refuse((cause as Error).message)
  }
  if (typeof values !== 'object' || Array.isArray(values)) return refuse('it is not a map of values')
  return values as Readonly<Record<string, unknown>>
}

function kubernetes(invocation: Invocation): number {
  const release: Release = {
    name: nameOption(invocation, 'name', 'tappass'),
    namespace: nameOption(invocation, 'namespace', 'default'),
  }
  const files = textOptions(invocation, 'values')
  const chart = openChart(invocation.root)
  const { values, problems } = chart.valuesOf(files.map((file) => readValues(invocation, file)))
  if (problems.length > 0)
    throw new Failure(
      {
        what: 'these values are refused',
        where: files.join(', '),
        why: problems.join('; '),
        next: `correct them as ${CHART_FOLDER}/values.yaml has them, then: tappass render kubernetes --values FILE`,
      },
      EXIT_CODE.refused,
    )
  invocation.stdout.write(
    chart
      .render(values, release)
      .map((manifest) => `---\n${manifest}\n`)
      .join(''),
  )
  return EXIT_CODE.upToDate
}

/** Where the sidecar finds it. */
const BUNDLE_PATH = `${HOST_PATH.opaConfigFolder}/bundle.tar.gz`

/** Another policy is another ConfigMap, and none changes under an OPA that runs. */
async function policy(invocation: Invocation): Promise<number> {
  const namespace = nameOption(invocation, 'namespace', 'default')
  const text = (path: string): string => readFileSync(join(invocation.root, path), 'utf8')
  const source = { policy: readPolicyFiles(text), template: text('templates/opa/opa.yaml.hbs') }
  const name = `tappass-opa-${bundleKey(source, parsePins(text('versions.yaml')).opa.version)}`
  const { bundle, config } = await createBundle({ ...source, bundlePath: BUNDLE_PATH })
  const manifest = {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, immutable: true },
    data: { 'opa.yaml': config },
    binaryData: { 'bundle.tar.gz': Buffer.from(bundle).toString('base64') },
  }
  invocation.stdout.write(`---\n${stringify(manifest, { ...YAML_VERSION, lineWidth: 0 })}`)
  invocation.stderr.write(`values:  policy: { engine: opa, opa: { bundle: ${name} } }\n`)
  return EXIT_CODE.upToDate
}

/** Runs the action. Returns the exit code; values that the chart's schema refuses are a failure with exit code 5. */
export async function run(invocation: Invocation): Promise<number> {
  return invocation.action === 'kubernetes' ? kubernetes(invocation) : await policy(invocation)
}
