/** The pins of `versions.yaml`: versions, images, checksums and fingerprints, parsed into a typed value. */
import * as v from 'valibot'
import { parse } from 'yaml'
import { floorProblems, floorSchema, imageVersion, version } from './version-floor.ts'

const text = v.pipe(v.string(), v.minLength(1))
const checksums = v.record(v.string(), v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)))
const image = v.object({ reference: text, uid: v.number() })
const container = v.object({ reference: text })
const program = v.object({ version, download: text, archives: checksums })
const schema = v.object({
  node: v.pipe(v.array(v.object({ version: text, needs: v.optional(text), archives: checksums })), v.minLength(1)),
  'node-download': text,
  images: v.object({ postgres: image, redis: image }),
  containers: v.object({ build: container, runtime: container, caddy: container, cloudflared: container }),
  caddy: v.object({ version: text, download: text, archives: checksums }),
  cloudflared: v.object({ version, download: text, archives: checksums }),
  docker: v.object({ download: text, fingerprint: v.pipe(v.string(), v.regex(/^[0-9A-F]{40}$/)) }),
  opa: v.object({ version, download: text }),
  spire: program,
  'spiffe-helper': program,
  /** Of servers that somebody else runs: there is no pin of them. */
  external: v.strictObject({ postgres: floorSchema, redis: floorSchema }),
  floors: v.strictObject({
    ...{
      node: v.optional(floorSchema),
      caddy: v.optional(floorSchema),
      cloudflared: v.optional(floorSchema),
      opa: v.optional(floorSchema),
    },
    ...{ postgres: v.optional(floorSchema), redis: v.optional(floorSchema), spire: v.optional(floorSchema) },
    'spiffe-helper': v.optional(floorSchema),
    packages: v.optional(v.record(text, floorSchema), {}),
  }),
})

/** `node` is in order of preference; checksums are SHA-256 by platform (`linux-x64`); `uid` is the account inside an image. */
export type Pins = v.InferOutput<typeof schema>

function belowFloor({ floors: { packages: _, ...floors }, ...pins }: Pins): readonly string[] {
  return floorProblems(floors, {
    node: pins.node.map((each) => each.version),
    caddy: [pins.caddy.version, imageVersion(pins.containers.caddy.reference)],
    cloudflared: [pins.cloudflared.version, imageVersion(pins.containers.cloudflared.reference)],
    opa: [pins.opa.version],
    postgres: [imageVersion(pins.images.postgres.reference)],
    redis: [imageVersion(pins.images.redis.reference)],
    spire: [pins.spire.version],
    'spiffe-helper': [pins['spiffe-helper'].version],
  })
}

/** Every role reads them: the text is parsed once. */
const parsed = new Map<string, Pins>()

/** Returns the pins in the text of `versions.yaml`. Throws for a missing key, a malformed checksum and a pin below its floor: the repository is damaged then. */
export function parsePins(yaml: string): Pins {
  const pins = parsed.get(yaml) ?? parseText(yaml)
  parsed.set(yaml, pins)
  return pins
}

function parseText(yaml: string): Pins {
  const result = v.safeParse(schema, parse(yaml))
  const problems = result.success
    ? belowFloor(result.output)
    : result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`)
  if (result.success && problems.length === 0) return result.output
  throw new Error(`versions.yaml: ${problems.join('; ')}`)
}
