/** `tappass audit verify|export|proof`: runs the process of the ledger; see docs/reference/ledger.md. Changes nothing. */
import { resolve } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { type Invocation, isGiven, textOption, textOptions } from '../command-line/invocation.ts'
import { Failure } from '../core/failure.ts'
import { isRemote, runHere, runServerProcess } from '../server-process/server-process.ts'

const ENTRY = 'server/audit.ts'

/** The arguments of the process, which has the same option names. */
function auditArguments(invocation: Invocation): readonly string[] {
  const path = (name: string) => (text: string) => [`--${name}`, resolve(invocation.workingFolder, text)]
  const exported = textOption(invocation, 'export')
  return [
    invocation.action ?? '',
    ...invocation.operands,
    ...(exported === undefined ? [] : path('export')(exported)),
    ...textOptions(invocation, 'key').flatMap(path('key')),
    ...textOptions(invocation, 'since').flatMap(path('since')),
    ...(isGiven(invocation, 'json') ? ['--json'] : []),
  ]
}

/** Returns the exit code of the process; of several hosts, the worst. */
export async function run(invocation: Invocation): Promise<number> {
  const args = auditArguments(invocation)
  const isExport = textOption(invocation, 'export') !== undefined
  const hasFiles = isExport || textOptions(invocation, 'key').length > 0 || textOptions(invocation, 'since').length > 0
  if (hasFiles && isRemote(invocation)) {
    throw new Failure(
      {
        what: '--export, --key and --since name files of this machine',
        next: 'tappass audit export --host HOST >ledger.jsonl, then tappass audit verify --export ledger.jsonl --key FILE',
      },
      EXIT_CODE.usage,
    )
  }
  const serverProcess = { entry: ENTRY, args, effect: 'read' } as const
  // An export needs no database.
  return isExport ? runHere(invocation, serverProcess, {}) : runServerProcess(invocation, serverProcess)
}
