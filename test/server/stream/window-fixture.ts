/** Streams texts through a window with all response steps, and the texts to do it with. */
import { gzipSync } from 'node:zlib'
import type { Finding } from '../../../server/core/finding.ts'
import type { LocalStep } from '../../../server/core/step.ts'
import { pendingFromSteps } from '../../../server/detection/pending-match.ts'
import { redactText } from '../../../server/pipeline/redaction.ts'
import { createStep as createClassify } from '../../../server/steps/classify-data.ts'
import { createStep as createOpaque } from '../../../server/steps/detect-opaque.ts'
import { createStep as createPii } from '../../../server/steps/detect-pii.ts'
import { createStep as createSecrets } from '../../../server/steps/detect-secrets.ts'
import { createStep as createOutput } from '../../../server/steps/scan-output.ts'
import { createWindow, finish, push, release, scanText, settle } from '../../../server/stream/release-window.ts'
import { testEngine } from '../detection/engine-fixture.ts'
import { callOf } from '../pipeline/call-fixture.ts'
import { EXFILTRATION, HARMLESS_OUTPUT } from '../rules/exfiltration-fixture.ts'
import { made, pastedKeys, privateKey, sequence } from '../rules/fixture.ts'
import { IMPERSONAL, PERSONAL } from '../rules/pii-fixture.ts'
import { NAMED_SECRETS, NO_SECRETS, SECRETS } from '../rules/secret-fixture.ts'

const engine = testEngine()

/** All steps that look at answers. */
export const STEPS: readonly LocalStep[] = [createClassify, createPii, createSecrets, createOpaque, createOutput].map(
  (create) => create(engine),
)
export const REACH_CHARS = Math.max(...STEPS.map(({ matchCharsMax }) => matchCharsMax ?? 0))

export const OPENING = pendingFromSteps(STEPS)

/** What all steps find in a text. */
export const look = async (text: string): Promise<readonly Finding[]> =>
  STEPS.flatMap(({ inspect }) => {
    const segments = [{ pointer: '/t', author: 'assistant', text }] as const
    return inspect(callOf({}, { stage: 'response', segments }), undefined as never)
  })

/** What nobody can read is noted, at most once in each text that is judged, and not taken out. */
const isTakenOut = (kind: string): boolean => !kind.startsWith('opaque.')

/** Streams deltas through a window with all response steps; everything else that is found is taken out. */
export async function stream(deltas: readonly string[], heldCharsMax?: number) {
  let window = createWindow(REACH_CHARS, heldCharsMax, OPENING)
  const kinds = new Set<string>()
  let released = ''
  let isOverfull = false
  const turn = async (): Promise<void> => {
    const settled = settle(window, await look(scanText(window)))
    for (const { kind } of settled.findings) kinds.add(kind)
    isOverfull ||= settled.status === 'overfull'
    const next = release(window, settled, [...kinds].filter(isTakenOut))
    window = next.window
    released += next.text
  }
  for (const delta of deltas) {
    window = push(window, delta)
    await turn()
    if (isOverfull) return { kinds: [...kinds].sort(), released, isOverfull }
  }
  window = finish(window)
  await turn()
  return { kinds: [...kinds].sort(), released, isOverfull }
}

/** What redacting the whole text gives. */
export async function whole(text: string) {
  const findings = await look(text)
  const kinds = [...new Set(findings.map(({ kind }) => kind))].sort()
  const released = redactText(
    text,
    findings.filter(({ kind }) => isTakenOut(kind)),
  )
  return { kinds, released, isOverfull: false }
}

/** Nothing is found in it. */
export const PROSE = 'The quick brown fox jumps over the lazy dog, and then some more of it follows. '
export const before = PROSE.repeat(5)
export const after = ` ${PROSE.repeat(5)}`

export const key = privateKey()
const STREAMED = [
  'a diff that removes it',
  'a log',
  'cat -n',
  'lines of 20 in comments',
  'groups of 8',
  'no dashes',
  'paragraphs',
]

const CHOSEN = ['Tr0ub4', 'dor&3x'].join('')

/** A text for everything that a step looks for or must not mistake for it. */
export const FIXTURES: readonly (readonly [name: string, text: string])[] = [
  ...SECRETS.map(([kind, secret]) => [kind, secret] as const),
  ...NAMED_SECRETS.map(([kind, left, secret, right]) => [kind, left + secret + right] as const),
  ...PERSONAL.map(([kind, left, value, right]) => [kind, left + value + right] as const),
  ...EXFILTRATION,
  ...[...NO_SECRETS, ...IMPERSONAL, ...HARMLESS_OUTPUT].map((text) => ['nothing', text] as const),
  ['marking', 'Classification: Strictly Confidential, TLP:AMBER+STRICT, for internal use only'],
  [
    'adjacent and overlapping',
    'a@b.example.org,c@d.example.org 4111111111111111 4012888888881881 password=x9Y8z7W6v5@h.example.org',
  ],
  ['key in base64', Buffer.from(key).toString('base64')],
  [
    'key in wrapped base64',
    (
      Buffer.from(key)
        .toString('base64')
        .match(/.{1,76}/g) ?? []
    ).join('\n'),
  ],
  ['key in JSON', JSON.stringify({ key })],
  ...pastedKeys().filter(([name]) => STREAMED.includes(name)),
  ['body of a key', `MIIE${'pAIBAAKCAQEA'}${made(180, 'base64')}\n${made(64, 'base64')}`],
  ['hexadecimal of a key', `308204a4${'02010002'}82010100${made(120, 'hex')}`],
  ['password in look-alikes', `the раѕѕwоrd = "${CHOSEN}"`],
  ['password in look-alikes alone, among words', `the token ріn code ехес ="${CHOSEN}" is ѕесrеt: ${CHOSEN}`],
  ['password with accents', `the pässwörd = "${CHOSEN}"`],
  ['password in small capitals', `ᴘᴀꜱꜱᴡᴏʀᴅ = "${CHOSEN}"`],
  ['password in entities', `passw&oacute;rd&equals;&#34;${CHOSEN}&#034`],
  ['password in quoted-printable', `=70=61=73=73=77=6F=72=64=3D${CHOSEN}=20=\r\n and`],
  ['password in colours', `pass\x1b[1;31mword\x1b[0m = "${CHOSEN}"`],
  ['card, compressed', gzipSync('the card is 4111111111111111, and so on').toString('base64')],
  ['card in UTF-16', Buffer.from('the card is 4111111111111111', 'utf16le').toString('base64')],
  ['card with dashes of a text editor', 'card 4111–1111–1111–1111'],
  ['card in escapes', [...'4111111111111111'].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join('')],
  ['card in binary', [...'card 4111111111111111'].map((c) => c.charCodeAt(0).toString(2).padStart(8, '0')).join(' ')],
  ['mail in percent signs', encodeURIComponent(encodeURIComponent('jan@mail.example.org'))],
  ['card with invisible characters', [...'4111111111111111'].join('\u200b\u2060')],
  ['emoji around a match', '🔑🔑4111111111111111🔑🔑 and 👩‍👩‍👧‍👦'],
]

/** Cuts a text in pieces of 1 to `most` characters. */
export function pieces(text: string, most: number, seed: number): readonly string[] {
  const next = sequence(seed)
  const cut: string[] = []
  for (let at = 0; at < text.length; ) {
    const length = 1 + Math.floor(next() * most)
    cut.push(text.slice(at, at + length))
    at += length
  }
  return cut
}
