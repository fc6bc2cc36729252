/** A real OPA as a process, with a signed bundle of the policy, on a UNIX socket in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type BundleOptions,
  createBundle,
  type PolicyFiles,
  readPolicyFiles,
  type SignedBundle,
} from '../scripts/artifacts/policy-bundle.ts'

const ROOT = join(import.meta.dirname, '..')

/** The program, where the lab keeps it. */
const OPA = join(process.env['TAPPASS_LAB_CACHE'] || '/var/cache/tappass-lab', 'go/opa')

/** Reads a file of this clone. */
export const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** The policy of this clone. */
export const POLICY = readPolicyFiles(textOf)

/** `log` is what it wrote so far. `write` lays another bundle down, which is read at the next start. */
export type OpaProcess = Readonly<{
  url: string
  options: BundleOptions
  log: () => string
  pid: () => number
  ask: (path: string, body?: unknown) => Promise<Readonly<{ status: number; text: string }>>
  start: () => Promise<void>
  stop: () => Promise<void>
  write: (signed: SignedBundle) => void
  close: () => Promise<void>
}>

function askSocket(socketPath: string, path: string, body?: unknown) {
  return new Promise<Readonly<{ status: number; text: string }>>((resolve, reject) => {
    const sent = request({ socketPath, path, method: body === undefined ? 'GET' : 'POST' }, async (response) => {
      let text = ''
      for await (const chunk of response) text += String(chunk)
      resolve({ status: response.statusCode ?? 0, text })
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** Lays the bundle down that `sign` gives and starts OPA; it is up when it has taken the bundle, or refused it. */
export async function startOpa(
  policy: PolicyFiles = POLICY,
  sign: (options: BundleOptions) => Promise<SignedBundle> = createBundle,
): Promise<OpaProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'opa-'))
  const socket = join(folder, 'opa.sock')
  const options = { policy, template: textOf('templates/opa/opa.yaml.hbs'), bundlePath: join(folder, 'bundle.tar.gz') }
  let child: ChildProcess | undefined
  let log = ''
  const write = ({ bundle, config }: SignedBundle): void => {
    writeFileSync(options.bundlePath, bundle)
    writeFileSync(join(folder, 'opa.yaml'), config)
  }
  const ask: OpaProcess['ask'] = (path, body) => askSocket(socket, path, body)
  const start = async (): Promise<void> => {
    const words = ['run', '--server', '--config-file', join(folder, 'opa.yaml'), '--addr', `unix://${socket}`]
    child = spawn(OPA, [...words, '--skip-version-check', '--log-level', 'error'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (log += String(chunk)))
    for (;;) {
      const answer = await ask('/health?bundles').catch(() => undefined)
      if (answer?.status === 200 || (answer !== undefined && /Bundle load failed/.test(log))) return
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`opa ended: ${log}`)
      await sleep(10)
    }
  }
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const end = once(child, 'exit')
    child.kill('SIGKILL')
    await end
  }
  write(await sign(options))
  await start()
  const close = async (): Promise<void> => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  }
  return {
    url: `unix://${socket}`,
    options,
    log: () => log,
    pid: () => child?.pid ?? 0,
    ask,
    start,
    stop,
    write,
    close,
  }
}
