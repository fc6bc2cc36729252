/**
 * A client of Python, started once for all its features: a line of JSON asks for one, a line of JSON says what came of it (see
 * python/driver.py). It can reach nothing that is not on loopback. Needs: python-clients.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { clientFolder } from '../../scripts/testing/need.ts'
import type { Driver, Outcome } from './driver.ts'

const CACHE = process.env['TAPPASS_LAB_CACHE'] || '/var/cache/tappass-lab'
const ENVIRONMENT = {
  PYTHONDONTWRITEBYTECODE: '1',
  PYTHONUNBUFFERED: '1',
  LANGSMITH_TRACING: 'false',
  OPENAI_AGENTS_DISABLE_TRACING: '1',
  HOME: '/nonexistent',
}

/** Starts `python/NAME.py` with the packages of `python/PACKAGES.txt`. */
export function startPython(name: string, packages = 'clients'): Driver {
  const script = join(import.meta.dirname, 'python', `${name}.py`)
  const child = spawn(join(CACHE, clientFolder(packages), 'bin/python'), [script], {
    env: ENVIRONMENT,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let complaints = ''
  child.stderr.on('data', (text) => {
    complaints = `${complaints}${text}`.slice(-4000)
  })
  child.stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const exited = once(child, 'exit')
  const ask = async (what: object): Promise<Outcome> => {
    child.stdin.write(`${JSON.stringify(what)}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(`${name} ended: ${complaints}`)
    return JSON.parse(value) as Outcome
  }
  return {
    ask,
    close: async () => {
      child.stdin.end()
      await exited
    },
  }
}
