/** The pins of `versions.yaml`: versions, images, checksums and fingerprints, parsed into a typed value. */
import coerce from 'semver/functions/coerce.js'
import lt from 'semver/functions/lt.js'
import * as v from 'valibot'
import { parse } from 'yaml'

const text = v.pipe(v.string(), v.minLength(1))
const checksums = v.record(v.string(), v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)))
const image = v.object({ reference: text, uid: v.number() })
const version = v.pipe(v.string(), v.regex(/^\d+\.\d+\.\d+$/))
const floor = v.object({ 'at-least': version, because: text })

const schema = v.object({
  node: v.pipe(v.array(v.object({ version: text, needs: v.optional(text), archives: checksums })), v.minLength(1)),
  'node-download': text,
  images: v.object({ postgres: image, redis: image }),
  caddy: v.object({ version: text, download: text, archives: checksums }),
  docker: v.object({ download: text, fingerprint: v.pipe(v.string(), v.regex(/^[0-9A-F]{40}$/)) }),
  opa: v.object({ version }),
  floors: v.strictObject({
    ...{ node: v.optional(floor), caddy: v.optional(floor), opa: v.optional(floor) },
    ...{ postgres: v.optional(floor), redis: v.optional(floor) },
  }),
})

/** `node` is in order of preference; checksums are SHA-256 by platform (`linux-x64`); `uid` is the account inside an image. */
export type Pins = v.InferOutput<typeof schema>

/** The version in an image reference: 16.14.0 in `postgres:16.14-alpine@sha256:…`. */
function imageVersion(reference: string): string {
  return coerce(/:([^@]+)/.exec(reference)?.[1])?.version ?? '0.0.0'
}

function belowFloor({ floors, ...pins }: Pins): readonly string[] {
  const versions = {
    node: pins.node.map((each) => each.version),
    caddy: [pins.caddy.version],
    opa: [pins.opa.version],
    postgres: [imageVersion(pins.images.postgres.reference)],
    redis: [imageVersion(pins.images.redis.reference)],
  }
  return (Object.keys(versions) as (keyof typeof versions)[]).flatMap((name) => {
    const { 'at-least': least = '0.0.0', because } = floors[name] ?? {}
    const older = versions[name].filter((each) => lt(each, least))
    return older.map((each) => `${name} ${each} is below its floor ${least}: ${because}`)
  })
}

/** Parses the text of `versions.yaml`. Throws for a missing key, a malformed checksum and a pin below its floor: the repository is damaged then. */
export function parsePins(yaml: string): Pins {
  const result = v.safeParse(schema, parse(yaml))
  const problems = result.success
    ? belowFloor(result.output)
    : result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`)
  if (result.success && problems.length === 0) return result.output
  throw new Error(`versions.yaml: ${problems.join('; ')}`)
}
