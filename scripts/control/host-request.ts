/** Sends requests to the gateway of a bootstrapped host over the host's own loopback; the admin key never leaves the host. */

import { GATEWAY_HOST, GATEWAY_PORT } from '../../contract/gateway.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { credentialId } from '../../contract/secret.ts'
import { Failure } from '../core/failure.ts'
import type { Command, Runner } from '../core/host.ts'
import { quote } from '../core/quoting.ts'
import { credentialPaths } from '../secrets/credential.ts'
import type { Transport } from './gateway-client.ts'

const KEY_ID = credentialId('TAPPASS_ADMIN_API_KEY')

const DEADLINE_MS = 30_000

/** Runs on the host's Node: the key comes on stdin, the arguments hold no secret. Prints the response as one JSON line. */
const PROGRAM = `
const [method, path, body] = process.argv.slice(1)
const key = require('node:fs').readFileSync(0, 'utf8').trim()
const headers = { authorization: 'Bearer ' + key, ...(body === '' ? {} : { 'content-type': 'application/json' }) }
fetch('http://${GATEWAY_HOST}:${GATEWAY_PORT}' + path, { method, headers, ...(body === '' ? {} : { body }) })
  .then(async (response) => console.log(JSON.stringify({ status: response.status, text: await response.text() })))
  .catch((error) => { console.error(error.cause?.message ?? error.message); process.exitCode = 1 })
`

/** Returns the command that sends a request from the host itself. systemd-creds decrypts the key into a pipe. */
export function requestCommand(method: string, path: string, body: string): Command {
  const [encrypted, plain] = credentialPaths(KEY_ID)
  const script = `
if [ -e ${quote(encrypted)} ]; then systemd-creds decrypt --name=${KEY_ID} ${quote(encrypted)} -
elif [ -e ${quote(plain)} ]; then cat ${quote(plain)}
else echo 'no admin key found: TapPass is not installed here' >&2; exit 1
fi | ${quote(HOST_PATH.nodeProgram)} -e ${quote(PROGRAM)} ${[method, path, body].map(quote).join(' ')}
`
  return { argv: ['sh', '-s'], effect: method === 'GET' ? 'read' : 'change', stdin: script, deadlineMs: DEADLINE_MS }
}

/** Sends requests through a root runner on a host. `key` is ignored: the host's own admin key is used. `next` is the command to type when the gateway cannot be reached. */
export function createHostTransport(run: Runner, hostName: string, next: string): Transport {
  return async ({ method, path, body }) => {
    const { code, stdout, stderr } = await run(requestCommand(method, path, body ?? ''))
    if (code === 0) return JSON.parse(stdout) as Readonly<{ status: number; text: string }>
    const why = stderr.trim().split('\n').slice(-3).join('; ')
    throw new Failure({ what: 'cannot reach the gateway on the host', where: hostName, why, next })
  }
}
