/**
 * Texts that look like secrets, put together when the record is replayed, so that no scanner stumbles over this repository.
 * Nothing in here is anybody's. It stands apart from the fixtures of other tests: what was recorded must not change with them.
 */

const ALPHABETS = {
  alnum: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  hex: '0123456789abcdef',
  base32: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  digits: '0123456789',
  base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
} as const

/** `count` characters of an alphabet, the same for the same seed (mulberry32). */
export function made(count: number, alphabet: keyof typeof ALPHABETS = 'alnum', seed = 7): string {
  const characters = ALPHABETS[alphabet]
  let state = seed
  let text = ''
  for (let place = 0; place < count; place++) {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    text += characters[Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * characters.length)]
  }
  return text
}

export const glue = (...parts: readonly string[]): string => parts.join('')

/** An armoured private key. */
export function privateKey(sort = 'RSA ', lines = 8): string {
  const edge = (word: string): string => `${'-'.repeat(5)}${word} ${sort}PRIVATE ${'KEY'}${'-'.repeat(5)}`
  const body = Array.from({ length: lines }, (_, line) => made(64, 'base64', line + 1))
  return [edge('BEGIN'), ...body, `${made(30, 'base64', 99)}==`, edge('END')].join('\n')
}

/** A signed token as issuers make them. */
export function jwt(): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', typ: 'JWT', kid: 'k1' })}.${part({ sub: '1234567890', iat: 1516239022 })}.${made(43)}`
}

/** The key of a cloud's account, for rows that need one short secret. */
export const CLOUD_KEY: string = glue('AK', 'IA', made(16, 'base32'))

/** A kind that is told apart by its shape alone, and a text of it. */
export const SHAPED: readonly (readonly [kind: string, text: string])[] = [
  ['private key', privateKey()],
  ['private key of OpenSSH', privateKey('OPENSSH ')],
  ['private key without a sort', privateKey('')],
  ['age identity', glue('AGE-SECRET', '-KEY-1', made(58, 'upper'))],
  ['AWS access key', CLOUD_KEY],
  ['Google API key', glue('AI', 'za', made(35))],
  ['Google OAuth', glue('GOCSPX', '-', made(28))],
  ['GitHub token', glue('ghp', '_', made(36))],
  ['GitHub fine-grained token', glue('github', '_pat_', made(22), '_', made(59))],
  ['GitLab token', glue('glpat', '-', made(20))],
  ['Bitbucket token', glue('AT', 'BB', made(28))],
  ['Atlassian token', glue('ATA', 'TT3', made(180))],
  ['Slack token', glue('xox', 'b-', made(12, 'digits'), '-', made(12, 'digits'), '-', made(24))],
  ['Telegram token', glue(made(9, 'digits'), ':A', 'A', made(33))],
  ['Stripe key', glue('sk', '_live_', made(24))],
  ['Square token', glue('sq0', 'atp-', made(22))],
  ['Shopify token', glue('shp', 'at_', made(32, 'hex'))],
  ['OpenAI key', glue('sk', '-proj-', made(74), 'T3Blbk', 'FJ', made(74))],
  ['Anthropic key', glue('sk', '-ant-', 'api03-', made(93), 'AA')],
  ['OpenRouter key', glue('sk', '-or-', 'v1-', made(64, 'hex'))],
  ['Hugging Face token', glue('hf', '_', made(34))],
  ['Groq key', glue('gsk', '_', made(52))],
  ['Replicate token', glue('r8', '_', made(37))],
  ['NVIDIA key', glue('nv', 'api-', made(64))],
  ['our own key', glue('tp', '_', made(43))],
  ['npm token', glue('npm', '_', made(36))],
  ['PyPI token', glue('pypi', '-AgEIcHlw', 'aS5vcmc', made(80))],
  ['Docker token', glue('dckr', '_pat_', made(27))],
  ['DigitalOcean token', glue('dop', '_v1_', made(64, 'hex'))],
  ['Vault token', glue('hv', 's.', made(90))],
  ['Terraform token', glue(made(14), '.atl', 'asv1.', made(67))],
  ['Databricks token', glue('da', 'pi', made(32, 'hex'))],
  ['Supabase key', glue('sb', 'p_', made(40, 'hex'))],
  ['SendGrid key', glue('SG', '.', made(22), '.', made(43))],
  ['Mailchimp key', glue(made(32, 'hex'), '-us', '12')],
  ['Twilio key', glue('S', 'K', made(32, 'hex'))],
  ['Grafana token', glue('glsa', '_', made(32), '_', made(8, 'hex'))],
  ['Notion token', glue('ntn', '_', made(46))],
  ['Azure client secret', glue(made(3), '8', 'Q~', made(34))],
  ['JSON web token', jwt()],
  ['password hash', glue('$', '2b$12$', made(53))],
]

/** Secrets that are known by what stands before them. */
export const NAMED: readonly (readonly [kind: string, text: string])[] = [
  ['connection string', glue('DATABASE_URL=postgresql://app:', 'h8Gq-2kLw9', '@db.internal:5432/app')],
  ['password in an address', glue('git clone https://bot:', made(20), '@git.internal/x.git')],
  ['Azure storage key', glue('AccountName=a;AccountKey=', made(86, 'base64'), '==;EndpointSuffix=x')],
  ['AWS secret key', glue('aws_secret_access_key = ', made(40, 'base64'), '\nregion = eu-west-1')],
  ['assignment', glue('pass', 'word = "', 'Tr0ub4dor&3', '"')],
  ['setting', glue('DB_PASS', 'WORD=', 'kX93mQz7', '\nDB_HOST=db')],
  ['JSON member', glue('{"client_', 'secret": "', made(40), '"}')],
  ['sentence', glue('the pass', 'word is ', 'S0mmer-2026', ' for the new machine')],
  ['Dutch', glue('wacht', 'woord: ', 'Gr0ene-kikker', ' (niet delen)')],
  ['bearer header', glue('Authorization: ', 'Bearer ', made(40), '\r\nAccept: */*')],
  ['command line', glue('curl -s -u deploy:', 'Zx81-Spectrum', ' https://ci.internal/job')],
]

/** Characters that spell out `text` and that nobody sees. */
export const tags = (text: string): string =>
  [...text].map((one) => String.fromCodePoint(0xe0000 + one.charCodeAt(0))).join('')

/** The same with variation selectors. */
export const selectors = (text: string): string =>
  [...Buffer.from(text)].map((byte) => String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16)).join('')

/** The same with characters without width. */
export const bits = (text: string): string =>
  [...Buffer.from(text)]
    .map((byte) => byte.toString(2).padStart(8, '0').replaceAll('0', '\u200b').replaceAll('1', '\u200c'))
    .join('')
