/**
 * The README's first command on a fresh clone, with real parts: the vendor's archive (from the lab's cache), the real
 * npm in it, the real gateway. Needs: curl, git, registry, vendor-node.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { locate, tools } from './world.ts'

const repository = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'tappass-clone-'))
const clone = join(folder, 'tappass')
const bin = join(folder, 'bin')

/** What a machine without Node has, and curl and git. */
const bare = (...more: readonly string[]): NodeJS.ProcessEnv => {
  rmSync(bin, { recursive: true, force: true })
  mkdirSync(bin)
  for (const tool of [...tools, ...more]) symlinkSync(locate(tool), join(bin, tool))
  const { NODE_TEST_CONTEXT, ...rest } = process.env
  return { ...rest, PATH: bin }
}

/** The vendor's archive of the first pinned Node that the cache has. */
const vendorArchive = (): Readonly<{ TAPPASS_NODE_URL: string; TAPPASS_NODE_SHA256: string }> => {
  const programs = join(process.env['TAPPASS_LAB_CACHE'] || '/var/cache/tappass-lab', 'programs')
  const name = readdirSync(programs).filter((each) => /^node-v24.*\.tar\.gz$/.test(each))[0]
  const path = join(programs, name ?? 'node-v24.tar.gz')
  return {
    TAPPASS_NODE_URL: `file://${path}`,
    TAPPASS_NODE_SHA256: createHash('sha256').update(readFileSync(path)).digest('hex'),
  }
}

type Line = Readonly<{ url: string; agent: Readonly<{ key: string }> }>

const up = async (
  environment: NodeJS.ProcessEnv,
): Promise<Readonly<{ child: ChildProcess; line: Line; stderr: () => string }>> => {
  const words = ['up', '--no-input', '--json', '--storage', 'memory', '--port', '0']
  const child = spawn(join(clone, 'tappass'), words, {
    env: environment,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  const line = await new Promise<Line>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
      if (stdout.includes('\n')) resolve(JSON.parse(stdout))
    })
    child.once('close', (code) => reject(new Error(`exit code ${code}\n${stderr}`)))
  })
  return { child, line, stderr: () => stderr }
}

const call = async ({ url, agent }: Line, content: string): Promise<Readonly<{ status: number; text: string }>> => {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${agent.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content }] }),
  })
  return { status: answer.status, text: await answer.text() }
}

const stop = async (child: ChildProcess): Promise<number | null> => {
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  return code as number | null
}

describe('a fresh clone on a machine without Node and npm', () => {
  before(() => {
    const { status, stderr } = spawnSync('git', ['clone', '-q', repository, clone])
    assert.equal(status, 0, String(stderr))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('./tappass up brings a Node, installs, and answers a governed call', async () => {
    const { child, line, stderr } = await up({ ...bare('curl', 'git'), ...vendorArchive() })
    assert.match(stderr(), /downloading Node [\d.]+ from file:[\s\S]*installing the locked dependencies \(production\)/)
    const { status, text } = await call(line, 'Hello from a fresh clone')
    assert.equal(status, 200, text)
    assert.match(text, /Hello from a fresh clone/)
    assert.equal(await stop(child), 0)
  })

  test('the second start fetches nothing, with no network to fetch from', async () => {
    const { child, stderr } = await up({ ...bare(), npm_config_registry: 'http://127.0.0.1:9' })
    assert.doesNotMatch(stderr(), /downloading|installing/)
    assert.equal(await stop(child), 0)
  })

  test('what git tracks is as it was', () => {
    const { stdout } = spawnSync('git', ['status', '--porcelain'], { cwd: clone, encoding: 'utf8' })
    assert.equal(stdout, '')
  })
})
