/** `tappass up`: runs a gateway on this machine, for evaluation and development; without root, Docker or network. */

import { join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { GATEWAY_HOST } from '../../contract/gateway.ts'
import { type Invocation, isGiven, isInteractive } from '../command-line/invocation.ts'
import { Interrupted } from '../command-line/prompt.ts'
import { Failure } from '../core/failure.ts'
import { SYSTEM_RANDOMNESS } from '../runners/randomness.ts'
import { readJsonFile } from '../up/data-folder.ts'
import { assertPortFree } from '../up/free-port.ts'
import type { ResolvedAnswers } from '../up/gateway-environment.ts'
import { readUpRequest, type UpRequest } from '../up/up-request.ts'
import { openSession, type Session } from '../up/up-session.ts'
import type { Storage } from '../up/up-setting.ts'
import { createBogusPrivateKey, renderWelcomeScreen } from '../up/welcome-screen.ts'
import { runWizard } from '../up/wizard.ts'

/** Flags override stored answers. The wizard runs once, on a terminal, when no answers are stored. */
async function resolveAnswers(
  invocation: Invocation,
  { known, dataPath, upstream }: UpRequest,
): Promise<Readonly<{ answers: ResolvedAnswers; hasAnswered: boolean }>> {
  const stored = readJsonFile(dataPath, 'answers.json') as
    | Readonly<{ storage: Storage; supabaseUrl?: string }>
    | undefined
  if (stored === undefined && isInteractive(invocation)) {
    const terminal = { input: invocation.stdin, output: invocation.stderr, interrupt: invocation.interrupt }
    const answers = await runWizard(terminal, invocation.workingFolder, upstream, known)
    return { answers: { ...answers, storage: answers.storage ?? 'local' }, hasAnswered: true }
  }
  const storage = known.storage ?? stored?.storage ?? 'local'
  const supabaseUrl = known.supabaseUrl ?? stored?.supabaseUrl
  if (storage === 'supabase' && supabaseUrl === undefined) {
    throw new Failure(
      {
        what: 'Supabase storage needs a connection string',
        next: 'tappass up --storage supabase --supabase-url postgresql://… --supabase-key-file FILE',
      },
      EXIT_CODE.usage,
    )
  }
  return { answers: { ...known, storage, supabaseUrl }, hasAnswered: false }
}

function announce(invocation: Invocation, { isJson }: UpRequest, { serving }: Session): void {
  const { url, adminKey, agent } = serving
  const text = isJson
    ? `${JSON.stringify({ url, adminKey, agent: { id: agent.id, key: agent.key } })}\n`
    : renderWelcomeScreen(
        serving,
        createBogusPrivateKey(SYSTEM_RANDOMNESS.bytes),
        invocation.hasColor && invocation.stdout.isTTY === true,
      )
  invocation.stdout.write(text)
}

/** Waits until the user stops the gateway. Throws a `Failure` when it exits by itself. */
async function waitUntilEnd(invocation: Invocation, { gateway }: Session): Promise<number> {
  const { interrupt, stderr } = invocation
  const stopped = new Promise<'stopped'>((resolve) => {
    if (interrupt.aborted) resolve('stopped')
    interrupt.addEventListener('abort', () => resolve('stopped'), { once: true })
  })
  const first = await Promise.race([stopped, gateway.ended])
  if (first !== 'stopped') {
    const cause = first.signal === null ? `exit code ${first.code}` : first.signal
    throw new Failure({
      what: `the gateway exited unexpectedly (${cause})`,
      why: gateway.lastLogLines(),
      next: 'tappass up',
    })
  }
  stderr.write('tappass: stopping; waiting for calls in flight\n')
  await gateway.stop()
  return exitOf(interrupt)
}

/** Ctrl-C is an interruption (130); SIGTERM is a regular stop by a supervisor (0). */
function exitOf(interrupt: AbortSignal): number {
  return interrupt.reason === 'SIGINT' ? EXIT_CODE.interrupted : EXIT_CODE.upToDate
}

async function serve(invocation: Invocation): Promise<number> {
  const { environment, interrupt, stderr, root } = invocation
  const request = readUpRequest(invocation)
  const isVerbose = stderr.isTTY !== true || isGiven(invocation, 'verbose')
  const { answers, hasAnswered } = await resolveAnswers(invocation, request)
  await assertPortFree(request.port, environment['TAPPASS_HOST'] || GATEWAY_HOST)
  const session = await openSession({
    ...request,
    answers,
    hasAnswered,
    entry: join(root, 'server', 'main.ts'),
    environment,
    random: SYSTEM_RANDOMNESS,
    onLogLine: (line) => {
      if (isVerbose) stderr.write(`${line}\n`)
    },
    interrupt,
  })
  try {
    announce(invocation, request, session)
    return await waitUntilEnd(invocation, session)
  } finally {
    session.close()
  }
}

/** Runs until it is stopped. docs/start/up.md describes flags and exit codes. Returns the exit code. */
export async function run(invocation: Invocation): Promise<number> {
  try {
    return await serve(invocation)
  } catch (error) {
    if (error instanceof Interrupted) return EXIT_CODE.interrupted
    if (invocation.interrupt.aborted && !(error instanceof Failure)) return exitOf(invocation.interrupt)
    throw error
  }
}
