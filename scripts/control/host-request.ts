/** Asks the gateway of a bootstrapped host over that host's own loopback; the admin key never leaves the host. */

import { Failure } from '../core/failure.ts'
import type { Command, Runner } from '../core/host.ts'
import { quote } from '../core/quoting.ts'
import { credentialPaths } from '../secrets/credential.ts'
import type { Exchange } from './gateway-client.ts'

const NODE = '/opt/tappass/node/current/bin/node'
const GATEWAY_PORT = 9620
const KEY_ID = 'tappass-admin-api-key'

/** Runs on the host's Node: the key comes on stdin, everything else is no secret. Prints the answer as one JSON line. */
const PROGRAM = `
const [method, path, body] = process.argv.slice(1)
const key = require('node:fs').readFileSync(0, 'utf8').trim()
const headers = { authorization: 'Bearer ' + key, ...(body === '' ? {} : { 'content-type': 'application/json' }) }
fetch('http://127.0.0.1:${GATEWAY_PORT}' + path, { method, headers, ...(body === '' ? {} : { body }) })
  .then(async (answer) => console.log(JSON.stringify({ status: answer.status, text: await answer.text() })))
  .catch((error) => { console.error(error.cause?.message ?? error.message); process.exitCode = 1 })
`

/** The command that sends one request from the host itself. systemd decrypts the key into a pipe (systemd-creds(1)). */
export function requestCommand(method: string, path: string, body: string): Command {
  const [encrypted, plain] = credentialPaths(KEY_ID)
  const script = `
if [ -e ${quote(encrypted)} ]; then systemd-creds decrypt --name=${KEY_ID} ${quote(encrypted)} -
elif [ -e ${quote(plain)} ]; then cat ${quote(plain)}
else echo 'there is no admin key; is TapPass bootstrapped here?' >&2; exit 1
fi | ${quote(NODE)} -e ${quote(PROGRAM)} ${[method, path, body].map(quote).join(' ')}
`
  return { argv: ['sh', '-s'], effect: method === 'GET' ? 'read' : 'change', stdin: script }
}

/** Requests through root's runner on a host. The bearer's key is ignored: the host's own admin key is used there. */
export function exchangeOnHost(run: Runner, hostName: string): Exchange {
  return async ({ method, path, body }) => {
    const { code, stdout, stderr } = await run(requestCommand(method, path, body ?? ''))
    if (code === 0) return JSON.parse(stdout) as Readonly<{ status: number; text: string }>
    const why = stderr.trim().split('\n').slice(-3).join('; ')
    throw new Failure({ what: 'the gateway could not be asked', where: hostName, why, next: 'tappass status' })
  }
}
