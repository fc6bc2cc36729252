/**
 * Texts that look like secrets or personal data, put together when a test runs, so that no scanner stumbles over this
 * repository. Nothing in here is anybody's.
 */

const ALPHABETS = {
  alnum: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  hex: '0123456789abcdef',
  base32: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  digits: '0123456789',
  base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
} as const

/** A reproducible sequence of numbers in [0, 1) (mulberry32). */
export function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** `count` characters of an alphabet, the same for the same seed. The first is a letter, the second a digit where there are any. */
export function made(count: number, alphabet: keyof typeof ALPHABETS = 'alnum', seed = 7): string {
  const next = sequence(seed)
  const characters = ALPHABETS[alphabet]
  return Array.from({ length: count }, () => characters[Math.floor(next() * characters.length)]).join('')
}

/** An armoured private key with a body of `lines` lines of 64 characters. */
export function privateKey(sort = 'RSA ', lines = 12, newline = '\n'): string {
  const edge = (word: string): string => `${'-'.repeat(5)}${word} ${sort}PRIVATE ${'KEY'}${'-'.repeat(5)}`
  const body = Array.from({ length: lines }, (_, line) => made(64, 'base64', line + 1))
  return [edge('BEGIN'), ...body, `${made(30, 'base64', 99)}==`, edge('END')].join(newline)
}

/** A signed token as issuers make them. */
export function jwt(): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', typ: 'JWT', kid: 'k1' })}.${part({ sub: '1234567890', name: 'A B', iat: 1516239022 })}.${made(43)}`
}

/** An armoured private key as people paste it, by how. What a tool puts before a line stands before each. */
export function pastedKeys(): readonly (readonly [name: string, text: string])[] {
  const lines = privateKey().split('\n')
  const each = (line: (text: string, number: number) => string): string =>
    lines.map((text, index) => line(text, index + 1)).join('\n')
  const edge = (text: string): boolean => text.startsWith('-')
  const body = lines.filter((line) => !edge(line)).join('')
  const rewrapped = (columns: number, newline: string): string =>
    [lines[0], ...(body.match(new RegExp(`.{1,${columns}}`, 'g')) ?? []), lines.at(-1)].join(newline)
  return [
    ['a diff that removes it', each((line) => `-${line}`)],
    ['a diff that adds it', each((line) => `+${line}`)],
    ['a quoted mail', each((line) => `> > ${line}`)],
    ['# comments', each((line) => `# ${line}`)],
    ['// comments', each((line) => `    // ${line}`)],
    ['* comments', each((line) => ` * ${line}`)],
    ['-- comments', each((line) => `-- ${line}`)],
    ['rem comments', each((line) => `REM ${line}`)],
    ['cat -n', each((line, number) => `${String(number).padStart(6)}\t${line}`)],
    ['grep -n', each((line, number) => `${number}:${line}`)],
    ['grep in a folder', each((line, number) => `deploy/keys/id_rsa_production.pem:${number}:${line}`)],
    ['a log', each((line) => `2026-05-01T09:10:11.123Z INFO  [worker-3] c.e.app.KeyDumper - ${line}`)],
    ['syslog', each((line) => `May  1 09:10:11 web-01 deploy[4711]: ${line}`)],
    ['deep indentation', each((line) => ' '.repeat(60) + line)],
    ['tabs', each((line) => '\t'.repeat(9) + line)],
    ['bullets', each((line) => `- ${line}`)],
    ['a YAML list', each((line) => `      - "${line}"`)],
    ['numbered items', each((line, number) => `${number}. ${line}`)],
    ['<br>', lines.join('<br>')],
    ['<br /> in lines', each((line) => `${line}<br />`)],
    ['paragraphs', each((line) => `<p>${line}</p>`)],
    ['table cells', each((line) => `<tr><td class="line">${line}</td></tr>`)],
    ['a Markdown table', each((line) => `| ${line} |`)],
    ['a string builder', each((line) => `        sb.append("${line}\\n");`)],
    ['echo', each((line) => `echo "${line}" >> key.pem`)],
    ['printf', each((line) => `printf '%s\\n' '${line}'`)],
    ['concatenation', each((line) => `  & "${line}" & vbCrLf _`)],
    ['small letters in the first line', privateKey().replace(/-+BEGIN.*-+/, (line) => line.toLowerCase())],
    ['lines of 20', rewrapped(20, '\n')],
    ['lines of 20 in comments', rewrapped(20, '\n# ')],
    ['groups of 8', rewrapped(8, ' ')],
    ['groups of 8 in lines', rewrapped(8, '\n')],
    ['groups of 4', rewrapped(4, ' ')],
    ['one line', rewrapped(100_000, ' ')],
    ['dashes of a text editor', privateKey().replaceAll('-----', '—–')],
    ['no dashes', privateKey().replaceAll('-----', '')],
    ['bold in Markdown', privateKey().replaceAll('-----', '**')],
    ['empty lines between', lines.join('\n\n\n')],
  ]
}
