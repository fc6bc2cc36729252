/** `tappass up`: a gateway on this machine, for a first look and for development; no root, no Docker, no network. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Invocation, isGiven, mayAsk } from '../command-line/invocation.ts'
import { Interrupted } from '../command-line/prompt.ts'
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { readNote } from '../up/data-folder.ts'
import { requireFreePort } from '../up/free-port.ts'
import type { Decided } from '../up/gateway-environment.ts'
import type { Randomness } from '../up/local-secret.ts'
import { readUpRequest, type UpRequest } from '../up/up-request.ts'
import { openSession, type Session } from '../up/up-session.ts'
import type { Storage } from '../up/up-setting.ts'
import { makeBogusPrivateKey, renderFirstCall } from '../up/welcome-screen.ts'
import { askAll } from '../up/wizard.ts'

const random: Randomness = {
  bytes: randomBytes,
  signingKey: () =>
    generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey,
}

/** Flags win over kept answers; questions are asked once, on a terminal, when nothing was answered before. */
async function decide(
  invocation: Invocation,
  { known, dataPath, upstream }: UpRequest,
): Promise<Readonly<{ decided: Decided; hasAnswered: boolean }>> {
  const kept = readNote(dataPath, 'answers.json') as Readonly<{ storage: Storage; supabaseUrl?: string }> | undefined
  if (kept === undefined && mayAsk(invocation)) {
    const terminal = { input: invocation.stdin, output: invocation.stderr, interrupt: invocation.interrupt }
    const answers = await askAll(terminal, invocation.workingFolder, upstream, known)
    return { decided: { ...answers, storage: answers.storage ?? 'local' }, hasAnswered: true }
  }
  const storage = known.storage ?? kept?.storage ?? 'local'
  const supabaseUrl = known.supabaseUrl ?? kept?.supabaseUrl
  if (storage === 'supabase' && supabaseUrl === undefined) {
    throw new Failure(
      {
        what: 'Supabase storage needs its connection string',
        next: 'tappass up --storage supabase --supabase-url postgresql://… --supabase-key-file FILE',
      },
      EXIT_CODE.usage,
    )
  }
  return { decided: { ...known, storage, supabaseUrl }, hasAnswered: false }
}

function announce(invocation: Invocation, { isJson }: UpRequest, { serving }: Session): void {
  const { url, adminKey, agent } = serving
  const text = isJson
    ? `${JSON.stringify({ url, adminKey, agent: { id: agent.id, key: agent.key } })}\n`
    : renderFirstCall(
        serving,
        makeBogusPrivateKey(randomBytes),
        invocation.hasColor && invocation.stdout.isTTY === true,
      )
  invocation.stdout.write(text)
}

/** Waits until the user stops it or the gateway ends by itself, which is a failure. */
async function awaitEnd(invocation: Invocation, { gateway }: Session): Promise<number> {
  const { interrupt, stderr } = invocation
  const stopped = new Promise<'stopped'>((resolve) => {
    if (interrupt.aborted) resolve('stopped')
    interrupt.addEventListener('abort', () => resolve('stopped'), { once: true })
  })
  const first = await Promise.race([stopped, gateway.ended])
  if (first !== 'stopped') {
    const how = first.signal === null ? `exit code ${first.code}` : first.signal
    throw new Failure({ what: `the gateway ended by itself (${how})`, why: gateway.lastWords(), next: 'tappass up' })
  }
  stderr.write('tappass: stopping; calls in flight are finished first\n')
  await gateway.stop()
  return exitOf(interrupt)
}

/** Ctrl-C is an interruption (130); SIGTERM is how a supervisor asks for exactly this end (0). */
function exitOf(interrupt: AbortSignal): number {
  return interrupt.reason === 'SIGINT' ? EXIT_CODE.interrupted : EXIT_CODE.asWanted
}

async function serve(invocation: Invocation): Promise<number> {
  const { environment, interrupt, stderr, root } = invocation
  const request = readUpRequest(invocation)
  const isVerbose = stderr.isTTY !== true || isGiven(invocation, 'verbose')
  const { decided, hasAnswered } = await decide(invocation, request)
  await requireFreePort(request.port, environment['TAPPASS_HOST'] || '127.0.0.1')
  const session = await openSession({
    ...request,
    decided,
    hasAnswered,
    entry: join(root, 'server', 'main.ts'),
    around: environment,
    random,
    tell: (line) => {
      if (isVerbose) stderr.write(`${line}\n`)
    },
    interrupt,
  })
  try {
    announce(invocation, request, session)
    return await awaitEnd(invocation, session)
  } finally {
    session.close()
  }
}

/** Runs until it is stopped. See docs/start/up.md for its flags and exit codes. */
export async function run(invocation: Invocation): Promise<number> {
  try {
    return await serve(invocation)
  } catch (error) {
    if (error instanceof Interrupted) return EXIT_CODE.interrupted
    if (invocation.interrupt.aborted && !(error instanceof Failure)) return exitOf(invocation.interrupt)
    throw error
  }
}
