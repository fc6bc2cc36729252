/** Where OPA's static program is. */

/** Its names of architectures, by Node's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64' }

/** The address of a version below `from`, the vendor's or a mirror. `architecture` is Node's: `x64`, `arm64`. */
export function opaUrl(from: string, version: string, architecture: string): string {
  return `${from}/v${version}/opa_linux_${ARCHITECTURES[architecture] ?? architecture}_static`
}
