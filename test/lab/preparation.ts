/** Everything that lab machines are made from, built into the cache: side by side where nothing depends on the other. */
import { ensureImage, ensureNextPostgres, imageNames } from './image.ts'
import { ensureIngressImages } from './ingress-image.ts'
import { ensureHelm, ensureJudge, ensureKubeconform, ensureKubernetesSchemas } from './kubernetes.ts'
import { ensureNodeImages } from './node-image.ts'
import { readPins } from './pin.ts'
import {
  ensureCaddyArchive,
  ensureGoProgram,
  ensureHttp3Client,
  ensureNodeArchive,
  ensureNodeFolder,
  ensureOtelCollector,
  ensurePebble,
  ensureS3Store,
  ensureSpiffeHelperArchive,
  ensureTlogCheck,
  ensureTunnelProgram,
} from './program.ts'
import { ensureSpireArchive } from './spire-program.ts'
import { ensureTree } from './tree.ts'
import { ensureAuthority } from './vendor/authority.ts'
import { ensureDockerRepository } from './vendor/docker-repository.ts'
import { ensureRegistryImage } from './vendor/registry.ts'
import { ensureWheelArchive } from './wheel.ts'

type Part = readonly [name: string, build: () => Promise<unknown>]

/** Four lines of work for two cores: what waits for the network, and what compiles; the last one for minutes. In each, the most awaited first. */
async function plannedParts(): Promise<readonly (readonly Part[])[]> {
  const { node } = await readPins()
  return [
    [
      ['tree bare', () => ensureTree('bare')],
      ...imageNames.map((name): Part => [`image ${name}`, () => ensureImage(name)]),
      ['tree docker', () => ensureTree('docker')],
      ['tree bookworm', () => ensureTree('bookworm')],
      ['certificate authority', ensureAuthority],
      ...imageNames.map((name): Part => [`registry ${name}`, () => ensureRegistryImage(name)]),
      ['repository of Docker', ensureDockerRepository],
      ['image of the next PostgreSQL', ensureNextPostgres],
      ['images of Node', ensureNodeImages],
    ],
    node.map((pin): Part => [`Node ${pin.version}`, () => ensureNodeFolder(pin).then(() => ensureNodeArchive(pin))]),
    [
      ['OPA', () => ensureGoProgram('opa')],
      ['Caddy', ensureCaddyArchive],
      ['tlog-check', ensureTlogCheck],
      ['client of HTTP/3', ensureHttp3Client],
      ['Pebble', ensurePebble],
      ['S3 store', ensureS3Store],
      ['OpenTelemetry Collector', ensureOtelCollector],
      ['kubeconform', ensureKubeconform],
      ['schemas of Kubernetes', ensureKubernetesSchemas],
      ['stand-in of cloudflared', () => ensureTunnelProgram('cloudflared')],
      ['other end of its tunnel', () => ensureTunnelProgram('edge')],
      ['images of ingresses', ensureIngressImages],
      ['wheels', ensureWheelArchive],
      ['Helm', ensureHelm],
      ['judge of manifests', ensureJudge],
    ],
    // It compiles for minutes, and only the machines with identities wait for it.
    [
      ['SPIRE', ensureSpireArchive],
      ['spiffe-helper', ensureSpiffeHelperArchive],
    ],
  ]
}

/** Builds all parts; one that fails does not keep the others. Gives what could not be built, and why. */
export async function prepare(): Promise<readonly string[]> {
  const failures: string[] = []
  const inTurn = async (parts: readonly Part[]): Promise<void> => {
    for (const [name, build] of parts) {
      await build().catch((error: Error) => failures.push(`${name}: ${error.message}`))
    }
  }
  await Promise.all((await plannedParts()).map(inTurn))
  return failures
}
