/** The pins of `versions.yaml`: versions, images, checksums and fingerprints, parsed into a typed value. */
import * as v from 'valibot'
import { parse } from 'yaml'

const text = v.pipe(v.string(), v.minLength(1))
const checksums = v.record(v.string(), v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)))
const image = v.object({ reference: text, uid: v.number() })

const schema = v.object({
  node: v.pipe(v.array(v.object({ version: text, needs: v.optional(text), archives: checksums })), v.minLength(1)),
  'node-download': text,
  images: v.object({ postgres: image, redis: image }),
  caddy: v.object({ version: text, download: text, archives: checksums }),
  docker: v.object({ download: text, fingerprint: v.pipe(v.string(), v.regex(/^[0-9A-F]{40}$/)) }),
})

/** `node` is in order of preference; checksums are SHA-256 by platform (`linux-x64`); `uid` is the account inside an image. */
export type Pins = v.InferOutput<typeof schema>

/** Parses the text of `versions.yaml`. Throws for a missing key or a malformed checksum: the repository is damaged then. */
export function parsePins(yaml: string): Pins {
  const result = v.safeParse(schema, parse(yaml))
  if (result.success) return result.output
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`)
  throw new Error(`versions.yaml: ${problems.join('; ')}`)
}
