/**
 * Templates of the Helm chart, read without Helm. They are written in a part of Go's template language, which stands for the same thing as an expression of Handlebars;
 * anything beyond that part is refused. This file translates one into the other; Handlebars, as everywhere in the toolkit, does the rest.
 */

/** A template in the language of Handlebars, and those that it defines, by name. */
export type ChartTemplate = Readonly<{ main: string; defined: Readonly<Record<string, string>> }>

/** `{{- ACTION -}}`: a dash takes away the white space on its side. */
const ACTION = /\{\{(- )?\s*([\s\S]*?)\s*(-)?\}\}/g
const TOKEN = /\s*("[^"\\{}]*"|\d+|\$?[A-Za-z_]\w*(?:\.\w+)*|\$(?:\.\w+)*|(?:\.\w+)+|\.|[()|])/y
const RANGE_PAIR = /^\$(\w+), \$(\w+) := (.+)$/s
/** Functions of Go's templates and of Helm that the chart may use; chart-engine.ts has them, and `file` for `.Files.Get`. */
export const FUNCTION_NAMES = [
  'add',
  'default',
  'div',
  'eq',
  'include',
  'list',
  'nindent',
  'not',
  'quote',
  'replace',
  'toYaml',
]

const BLOCKS: Readonly<Record<string, string>> = { if: 'if', with: 'with', range: 'each' }

/** What was opened and not ended yet. `opened` is undefined in a definition. */
type Open = Readonly<{ helper: string | undefined }>

function tokensOf(text: string): string[] {
  const tokens: string[] = []
  TOKEN.lastIndex = 0
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    const [, token] = TOKEN.exec(text) ?? []
    if (token === undefined) throw new Error(`"${text}" has a part that this is not made for: ${text.slice(at)}`)
    tokens.push(token)
  }
  return tokens
}

/** A path or a literal: `.a` is of the current object, `$.a` of the whole, `$name` a variable of a loop. */
function termOf(token: string): string {
  if (token.startsWith('$')) return /^\$[A-Za-z_]/.test(token) ? token.slice(1) : `@root${token.slice(1)}`
  if (token === '.') return 'this'
  return token.startsWith('.') ? `this${token}` : token
}

/** The first word of a command is a function; of the others none is. */
function wordOf(token: string, isFirst: boolean): string {
  if (token === '.Files.Get') return 'file'
  if (!/^[A-Za-z]/.test(token)) return termOf(token)
  if (!isFirst || !FUNCTION_NAMES.includes(token)) throw new Error(`"${token}" is no function that this is made for`)
  return token
}

/** Takes a pipeline off the front of `tokens`, to its end or to a closing bracket. */
function pipelineOf(tokens: string[]): string {
  let value: string | undefined
  do {
    const words: string[] = []
    for (let token = tokens[0]; token !== undefined && token !== '|' && token !== ')'; token = tokens[0]) {
      tokens.shift()
      words.push(token === '(' ? pipelineOf(tokens) : wordOf(token, words.length === 0))
      if (token === '(' && tokens.shift() !== ')') throw new Error('a bracket is not closed')
    }
    if (words.length === 0) throw new Error('nothing stands there')
    // What came before the bar is the last argument.
    if (value !== undefined) words.push(value)
    value = words.length === 1 ? (words[0] as string) : `(${words.join(' ')})`
  } while (tokens[0] === '|' && tokens.shift() !== undefined)
  return value
}

function expressionOf(text: string): string {
  const tokens = tokensOf(text)
  const expression = pipelineOf(tokens)
  if (tokens.length > 0) throw new Error(`"${text}" has a bracket too many`)
  return expression
}

/** Translates a file. Throws for what is not of the part of the language that this knows. */
export function translateTemplate(text: string): ChartTemplate {
  const defined: Record<string, string> = {}
  const open: Open[] = []
  const outer: string[] = []
  let [parts, name, last] = [outer, '', 0]
  for (const {
    0: { length },
    1: before,
    2: action = '',
    3: after,
    index,
  } of text.matchAll(ACTION)) {
    parts.push(text.slice(last, index))
    last = index + length
    const [left, right] = [before === undefined ? '{{' : '{{~', after === undefined ? '}}' : '~}}']
    const [word = '', rest = ''] = [/^\S+/.exec(action)?.[0], action.replace(/^\S+\s*/, '')]
    if (action.startsWith('/*')) parts.push(`${left}!----${right}`)
    else if (word === 'define') {
      if (open.length > 0) throw new Error('a definition stands inside of something')
      parts.push(`${left}!----}}`)
      open.push({ helper: undefined })
      ;[parts, name] = [[`{{!----${right}`], rest.replaceAll('"', '')]
    } else if (word === 'end') {
      const ended = open.pop()
      if (ended === undefined) throw new Error('an "end" ends nothing')
      if (ended.helper !== undefined) parts.push(`${left}/${ended.helper}${right}`)
      else {
        defined[name] = [...parts, `${left}!----}}`].join('')
        parts = outer
        parts.push(`{{!----${right}`)
      }
    } else if (word === 'else') {
      const condition = rest.replace(/^if\s+/, '')
      parts.push(`${left}else${rest === '' ? '' : ` if ${expressionOf(condition)}`}${right}`)
    } else if (BLOCKS[word] !== undefined) {
      const [, key, value, over] = RANGE_PAIR.exec(rest) ?? []
      const what = over === undefined ? expressionOf(rest) : `${expressionOf(over)} as |${value} ${key}|`
      parts.push(`${left}#${BLOCKS[word]} ${what}${right}`)
      open.push({ helper: BLOCKS[word] })
    } else parts.push(`${left}print ${expressionOf(action)}${right}`)
  }
  if (open.length > 0) throw new Error('something is not ended')
  return { main: [...parts, text.slice(last)].join(''), defined }
}
