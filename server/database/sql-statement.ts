/** Inspects a script of SQL statements without a database: no parser, just enough to tell statements from quoted text. */

/** What may hold a semicolon or a keyword as text: comments, strings, quoted names, dollar-quoted bodies. */
const QUOTED =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(\$(?:[A-Za-z_]\w*)?\$)[\s\S]*?\1/g

/** Keywords that begin or end a transaction (PostgreSQL 16 manual, part VI). */
const TRANSACTION_WORDS = ['BEGIN', 'START', 'COMMIT', 'END', 'ROLLBACK', 'ABORT', 'SAVEPOINT', 'RELEASE']

/** Returns the first word of each statement, in capitals. */
export function statementWords(sql: string): readonly string[] {
  const bare = sql.replace(QUOTED, ' ')
  const words = bare.split(';').map((statement) => /[A-Za-z]+/.exec(statement)?.[0].toUpperCase())
  return words.filter((word) => word !== undefined)
}

/** The first keyword by which `sql` would begin or end a transaction by itself; undefined when there is none. */
export function transactionWord(sql: string): string | undefined {
  return statementWords(sql).find((word) => TRANSACTION_WORDS.includes(word))
}

/** The line, from 1, of PostgreSQL's error position: a count of characters from 1. */
export function lineAt(sql: string, position: number): number {
  return [...sql].slice(0, position - 1).filter((character) => character === '\n').length + 1
}
