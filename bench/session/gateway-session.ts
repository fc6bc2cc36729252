/**
 * A session with a real gateway, as a reader would type it: `tappass up`, a call that passes, one that is redacted, one
 * that is refused, and the ledger. What is shown is what ran; see `normalize` for what is replaced in it.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ShownCommand } from './shown-command.ts'

const root = join(import.meta.dirname, '../..')

/** Run with TAPPASS_PORT=0 in the environment, so that it finds a free port. */
const UP = 'up --no-input --storage memory'

const ASK = [
  'ask() { jq -n --arg text "$1" \'{model: "echo", messages: [{role: "user", content: $text}]}\' | curl -sS --json @- \\',
  '  -H "Authorization: Bearer $AGENT_KEY" $URL/v1/chat/completions | jq -r \'.error.reason // .choices[0].message.content\'; }',
].join('\n')

const AUDIT = [
  'curl -sS "$URL/audit?limit=5" -H "Authorization: Bearer $ADMIN_KEY" |',
  "  jq -r '.data[] | [.seq, .event_type, .hash[:12], .classification, .step_name] | @tsv'",
].join('\n')

const TYPED = [
  ASK,
  "ask 'Say hello'",
  "ask 'Refund the card 4111 1111 1111 1111'",
  'ask "Deploy with $(cat key.pem)"',
  AUDIT,
] as const

/** What differs from run to run, and the free port, as they stand on the page. `up` prints both keys whole. */
export function normalize(text: string): string {
  return text
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://127.0.0.1:9620')
    .replaceAll(/(tp_admin_|tp_)([\w-]{3})[\w-]{20,}/g, '$1$2…')
    .trimEnd()
}

/** The same with all that is random gone, so that two runs can be compared. */
export function shapeOf(text: string): string {
  return normalize(text)
    .replaceAll(/(tp_admin_|tp_)[\w-]{3}…/g, '$1KEY')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'HASH')
}

async function startUp(program: readonly string[]): Promise<Readonly<{ child: ChildProcess; screen: string }>> {
  const { NODE_TEST_CONTEXT, ...environment } = process.env
  const [command = '', ...words] = [...program, ...UP.split(' ')]
  const child = spawn(command, words, {
    cwd: root,
    env: { ...environment, TAPPASS_PORT: '0', OPENAI_API_KEY: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [screen, talk] = ['', '']
  child.stderr.setEncoding('utf8').on('data', (text) => {
    talk += text
  })
  for await (const text of child.stdout.setEncoding('utf8')) {
    screen += text
    if (screen.includes('Ctrl-C')) return { child, screen }
  }
  throw new Error(`tappass up did not start:\n${talk}`)
}

function found(text: string, pattern: RegExp): string {
  const match = pattern.exec(text)?.[0]
  if (match === undefined) throw new Error(`no ${pattern} on the screen of tappass up:\n${text}`)
  return match
}

/** One after the other in one shell, since `ask` is a function; their outputs are told apart by a line of our own. */
function runTyped(screen: string, folder: string): readonly string[] {
  const mark = '--- next ---'
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', TYPED.join(`\necho '${mark}'\n`)], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      URL: found(screen, /http:\/\/127\.0\.0\.1:\d+/),
      AGENT_KEY: found(screen, /tp_(?!admin_)[\w-]{20,}/),
      ADMIN_KEY: found(screen, /tp_admin_[\w-]{20,}/),
    },
  })
  if (status !== 0 || stderr !== '') throw new Error(`the session failed (${status}):\n${stderr}${stdout}`)
  return stdout.split(`${mark}\n`)
}

/** The program that the session shows. Tests run the command line under it, so that they never install anything. */
export const LAUNCHER: readonly string[] = [join(root, 'tappass')]

/** Runs it all, in some seconds. Throws when a command of the session fails. */
export async function runGatewaySession(program = LAUNCHER): Promise<readonly ShownCommand[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-session-'))
  const { privateKey } = generateKeyPairSync('ed25519')
  writeFileSync(join(folder, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const { child, screen } = await startUp(program)
  try {
    const outputs = runTyped(screen, folder)
    const head = screen.trim().split('\n\n')[0] ?? ''
    return [
      { typed: `./tappass ${UP}`, output: normalize(head.split('\n').slice(0, 3).join('\n')) },
      ...TYPED.map((typed, index) => ({ typed, output: normalize(outputs[index] ?? '') })),
    ]
  } finally {
    if (child.exitCode === null) {
      child.kill('SIGINT')
      await once(child, 'exit')
    }
    rmSync(folder, { recursive: true })
  }
}
