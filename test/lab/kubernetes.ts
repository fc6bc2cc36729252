/** The tools that the chart is checked with: Helm, kubeconform, and the schemas of Kubernetes' objects. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { demand } from './execution.ts'
import { buildOnce } from './keyed-folder.ts'
import { ensureOwnProgram, ensureTestProgram, pointAt } from './program.ts'
import { cachePath } from './setting.ts'

const HELM = { module: 'helm.sh/helm/v4', version: '4.3.1' }
const KUBECONFORM = { module: 'github.com/yannh/kubeconform', version: '0.8.0' }
/** The Python package that carries them. */
const SCHEMAS = 'kubernetes-validate==1.37.0'

/** The releases whose schemas are kept: the oldest that the chart is for, and the three newest. */
export const SCHEMA_VERSIONS: readonly string[] = ['1.37.0', '1.36.0', '1.35.0', '1.30.0']

/** Builds Helm (some minutes the first time), and gives its path, also as `go/helm`. */
export async function ensureHelm(): Promise<string> {
  const built = await ensureTestProgram('helm', HELM.module, HELM.version)
  await pointAt(cachePath('go', 'helm'), basename(built))
  return built
}

/** Builds kubeconform (some seconds), and gives its path. */
export function ensureKubeconform(): Promise<string> {
  return ensureTestProgram('kubeconform', KUBECONFORM.module, KUBECONFORM.version)
}

/** Builds what judges objects with the code of Kubernetes' admission and of the Prometheus operator (some seconds), and gives its path, also as `go/judge`. */
export function ensureJudge(): Promise<string> {
  return ensureOwnProgram('judge', join(import.meta.dirname, '../kubernetes/judge'))
}

/** Reads one without what only people read, and without the address that it has on the network. */
async function readSchema(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = (await readFile(path, 'utf8')).replaceAll('"$ref": "/api/_definitions.json#', '"$ref": "#')
  return JSON.parse(text, (name, value) =>
    name === '$id' || (name === 'description' && typeof value === 'string') ? undefined : value,
  )
}

/** Those definitions that a schema comes to: kubeconform reads them anew for each kind. */
function reachedBy(schema: object, definitions: Readonly<Record<string, object>>): Readonly<Record<string, object>> {
  const reached: Record<string, object> = {}
  const open: object[] = [schema]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const [, name = ''] of JSON.stringify(next).matchAll(/"#\/\$defs\/([^"]+)"/g)) {
      const definition = definitions[name]
      if (definition === undefined || reached[name] !== undefined) continue
      reached[name] = definition
      open.push(definition)
    }
  }
  return reached
}

/** Gives the folder of the schemas, `vVERSION/KIND-GROUP-VERSION.json`, strict ones. */
export function ensureKubernetesSchemas(): Promise<string> {
  const name = `${SCHEMAS.replace('==', '-')}-${SCHEMA_VERSIONS.join('-')}`
  return buildOnce(cachePath('kubernetes', name), async (target) => {
    const work = `${target}.wheel`
    await rm(work, { recursive: true, force: true })
    await demand(['pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', `--dest=${work}`, SCHEMAS])
    await demand(['sh', '-c', 'exec python3 -m zipfile -e "$1"/*.whl "$1"', 'unzip', work])
    for (const version of SCHEMA_VERSIONS) {
      const from = join(work, `kubernetes_validate/kubernetes-json-schema/v${version}-local-strict`)
      const to = join(target, `v${version}`)
      await mkdir(to, { recursive: true })
      const definitions = (await readSchema(join(from, '_definitions.json'))).$defs as Readonly<Record<string, object>>
      for (const file of await readdir(from)) {
        if (file === '_definitions.json') continue
        const schema = await readSchema(join(from, file))
        await writeFile(join(to, file), JSON.stringify({ ...schema, $defs: reachedBy(schema, definitions) }))
      }
    }
    await rm(work, { recursive: true, force: true })
  })
}
