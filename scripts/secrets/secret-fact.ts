/** What is asked about the secrets of a host. Neither a value nor a digest of one leaves it. */
import type { BatchQuery, Fact } from '../core/host.ts'
import { credentialPaths } from './credential.ts'

/** Whether the secret on the host has this digest, which is sent on standard input. */
export function isSameFact(id: string, sha256: string): Fact<boolean> {
  const [encrypted, plain] = credentialPaths(id)
  const script = `read -r expected
if [ -f "$2" ]; then found=$(systemd-creds decrypt --name="$1" "$2" - | sha256sum); elif [ -f "$3" ]; then found=$(sha256sum <"$3"); else exit 1; fi
[ "\${found%% *}" = "$expected" ] && echo same`
  return {
    query: { argv: ['sh', '-c', script, 'sh', id, encrypted, plain], effect: 'read', stdin: `${sha256}\n` },
    parse: ({ stdout }) => stdout.trim() === 'same',
  }
}

/** Those that systemd can decrypt, or that are not there; each is named like its file. All at a time: each takes some milliseconds. */
const readableQuery: BatchQuery = {
  query: (paths) => ({
    argv: [
      'sh',
      '-c',
      `for p do { [ ! -f "$p" ] || systemd-creds decrypt --name="\${p##*/}" "$p" - >/dev/null 2>&1 && echo "$p"; } & done; wait`,
      'sh',
      ...paths,
    ],
    effect: 'read',
    isLong: true,
  }),
  split: ({ stdout }) => new Map(stdout.split('\n').map((path) => [path, { code: 0, stdout: path, stderr: '' }])),
}

/** Whether systemd can decrypt the credential: one encrypted with another machine's key would prevent every unit from starting. The value is discarded. */
export function isReadableFact(path: string): Fact<boolean> {
  return {
    query: readableQuery.query([path]),
    batchQuery: readableQuery,
    subject: path,
    parse: ({ stdout }) => stdout.trim() !== '',
  }
}

/** When a credential was stored, by the host's clock, in seconds since 1970; undefined: it is absent. */
export function storedAtFact(id: string): Fact<number | undefined> {
  const script = 'for p do if [ -f "$p" ]; then stat -c %Y -- "$p"; exit; fi; done'
  return {
    query: { argv: ['sh', '-c', script, 'sh', ...credentialPaths(id)], effect: 'read' },
    parse: ({ stdout }) => (/^\d+\s*$/.test(stdout) ? Number(stdout) : undefined),
  }
}
