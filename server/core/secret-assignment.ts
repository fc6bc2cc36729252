/** Secrets that have no shape of their own but a name in front of them: `password = …`, `Authorization: Bearer …`, `curl -u`. */
import { entropyBits, isMixed, isPlaceholder } from './entropy.ts'
import type { Pattern } from './pattern.ts'

const NAMES =
  'pass(?:word|wd|phrase|wort)|pwd|kennwort|wachtwoord|contrase|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key|account[_-]?key|encryption[_-]?key|signing[_-]?key'

/** What may stand between a name and its value: the rest of the name, quotes, and a sign that gives. */
const GIVES = '\\w{0,16}["\'`\\]]{0,2}\\s{0,4}(?::=|=>|==?|:|->)\\s{0,4}'

/** Generated values: as long as a key and as varied (three bits a character is what 16 hex digits have at least). */
const GENERATED_CHARS_MIN = 16
const GENERATED_BITS_MIN = 3

/** Names, calls, paths and types of a program: what stands right of an equals sign in code that reads a secret. */
const CODE = /^(?:[A-Za-z_$][A-Za-z_$]*(?:[.\-_:/][A-Za-z_$]*)*|[\w.$]+[([{].*|https?:.*|[/~.].*|@.*|#.*)$/

/** How likely a named value is a secret; undefined for placeholders, code and plain words. */
function judgeValue(value: string): number | undefined {
  if (isPlaceholder(value) || CODE.test(value)) return undefined
  if (!isMixed(value)) return undefined
  if (value.length >= GENERATED_CHARS_MIN && /\d/.test(value) && entropyBits(value) >= GENERATED_BITS_MIN) return 0.85
  return /\d/.test(value) ? 0.6 : 0.3
}

/** All names. Spans cover the values only, so that the text around them stays readable. */
export const SECRET_ASSIGNMENTS: readonly Pattern[] = [
  {
    kind: 'secret.assignment',
    severity: 'high',
    confidence: 0.6,
    keywords: [
      ...[
        'password',
        'passwd',
        'passphrase',
        'passwort',
        'pwd',
        'kennwort',
        'wachtwoord',
        'contrase',
        'secret',
        'token',
      ],
      ...['credential', 'api_key', 'api-key', 'apikey', 'access_key', 'access-key', 'accesskey', 'private_key'],
      ...['private-key', 'privatekey', 'auth_key', 'auth-key', 'authkey', 'account_key', 'account-key', 'accountkey'],
      ...['encryption_key', 'encryption-key', 'encryptionkey', 'signing_key', 'signing-key', 'signingkey'],
    ],
    pattern: new RegExp(
      `(?:${NAMES})${GIVES}(?:"([^"\\s\\\\]{6,128})"|'([^'\\s\\\\]{6,128})'|\`([^\`\\s\\\\]{6,128})\`|([^\\s"'\`,;()<>{}[\\]\\\\]{6,128}))`,
      'diy',
    ),
    judge: judgeValue,
  },
  {
    kind: 'secret.assignment',
    severity: 'high',
    confidence: 0.6,
    keywords: [
      'password is',
      'passphrase is',
      'passwort ist',
      'wachtwoord is',
      'password was',
      'pin is',
      'token is',
      'secret is',
      'key is',
    ],
    pattern:
      /(?:pass(?:word|phrase|wort)|wachtwoord|token|secret|key) (?:is|ist|was):? {0,2}["'`]?([^\s"'`,;()<>{}[\]\\]{6,128})/diy,
    judge: (value) => judgeValue(value.replace(/[.!?]$/, '')),
  },
  {
    kind: 'secret.authorization',
    severity: 'critical',
    confidence: 0.9,
    keywords: ['bearer ', 'authorization', 'x-api-key'],
    pattern:
      /(?:bearer {1,2}|(?:proxy-)?authorization["']?\s{0,2}[:=]\s{0,2}["']?(?:basic|token|apikey) {1,2}|x-api-key["']?\s{0,2}[:=]\s{0,2}["']?)([\w.~+/=-]{16,160})/diy,
    judge: (value) => (isPlaceholder(value) || CODE.test(value) || !/\d/.test(value) ? undefined : 0.9),
  },
  {
    kind: 'secret.command_password',
    severity: 'high',
    confidence: 0.8,
    keywords: ['curl ', 'sshpass -p', 'machine ', 'pgpassword='],
    pattern:
      /(?:curl [^\n]{0,80}?(?:-u|--user)[ =]["']?[\w.@-]{1,64}:|sshpass -p ?["']?|machine \S{1,80}\s{1,8}login \S{1,64}\s{1,8}password |PGPASSWORD=["']?)([^\s"']{4,64})/diy,
    judge: (value) => (isPlaceholder(value) ? undefined : 0.8),
  },
]
