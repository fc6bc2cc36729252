/** The wizard of a first `tappass up` on a terminal: license, storage, provider key. It prompts only for what no flag sets. */

import { askChoice, askHidden, askLine, type Terminal } from '../command-line/prompt.ts'
import { Failure } from '../core/failure.ts'
import { verifyProviderKey } from './provider-check.ts'
import { checkLicense, checkProviderKey, readSecretFile, type Storage, splitConnectionString } from './up-setting.ts'

/** The answers, from flags or prompts. */
export type Answers = Readonly<{
  storage: Storage | undefined
  license: string | undefined
  providerKey: string | undefined
  supabaseUrl: string | undefined
  supabaseKey: string | undefined
}>

/** Prompts until the answer is valid; the text of a `Failure` is shown before prompting again. */
async function askUntil<T>(terminal: Terminal, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      terminal.output.write(`${error.text.what}${error.text.why === undefined ? '' : `: ${error.text.why}`}\n`)
    }
  }
}

function askLicense(terminal: Terminal, folder: string): Promise<string | undefined> {
  return askUntil(terminal, async () => {
    const file = await askLine(terminal, 'License file (Enter for the community tier): ')
    return file === '' ? undefined : checkLicense(readSecretFile(folder, file, 'license'), file)
  })
}

function askStorage(terminal: Terminal): Promise<Storage> {
  return askChoice<Storage>(terminal, 'Where should data be stored?', [
    ['local', 'in a folder on this machine (embedded PostgreSQL)'],
    ['memory', 'in memory: nothing is stored'],
    ['supabase', 'in Supabase (its PostgreSQL connection string)'],
  ])
}

function askSupabase(terminal: Terminal): Promise<Readonly<{ url: string; password: string }>> {
  return askUntil(terminal, async () => {
    const answer = await askHidden(terminal, 'Connection string, postgresql://… (not shown): ')
    const { url, password } = splitConnectionString(answer, 'the answer')
    return { url, password: password ?? (await askHidden(terminal, 'Its password (not shown): ')) }
  })
}

function askProviderKey(terminal: Terminal, upstream: string | undefined): Promise<string | undefined> {
  return askUntil(terminal, async () => {
    const provider = upstream === undefined ? 'OpenAI' : 'Provider'
    const fallback = upstream === undefined ? 'the built-in echo model' : 'none'
    const key = await askHidden(terminal, `${provider} API key (not shown; Enter for ${fallback}): `)
    if (key === '') return undefined
    checkProviderKey(key, upstream, 'the answer')
    if ((await verifyProviderKey(key, upstream, 5000)) === 'rejected')
      throw new Failure({ what: 'the provider rejects this key' })
    return key
  })
}

/** Prompts for what `known` leaves open. Relative file names start at `folder`. */
export async function runWizard(
  terminal: Terminal,
  folder: string,
  upstream: string | undefined,
  known: Answers,
): Promise<Answers> {
  const license = known.license ?? (await askLicense(terminal, folder))
  const storage = known.storage ?? (await askStorage(terminal))
  const isOpen = storage === 'supabase' && known.supabaseUrl === undefined
  const supabase = isOpen ? await askSupabase(terminal) : undefined
  return {
    license,
    storage,
    supabaseUrl: known.supabaseUrl ?? supabase?.url,
    supabaseKey: known.supabaseKey ?? supabase?.password,
    providerKey: known.providerKey ?? (await askProviderKey(terminal, upstream)),
  }
}
