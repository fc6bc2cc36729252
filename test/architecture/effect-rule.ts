/** Where the world may be touched: environment, exit, clock, randomness, and nothing at all at import. */
import {
  isAwaitExpression,
  isCallExpression,
  isIfStatement,
  isNewExpression,
  isPropertyAccessExpression,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { type Breach, isFunction, isShipped, placeOf, type Rule, type Source, walk } from './source.ts'

/** Files that are a process: they may end it, and may act when they are run (not when they are imported). */
const isProcessEntry = (path: string): boolean =>
  path === 'scripts/cli.ts' ||
  path === 'scripts/job.ts' ||
  /^(server\/(main|migrate|audit|backup|backup-copy|backup-fetch|check|drill|move|self-check|policy\/build|rules\/build)|scripts\/artifacts\/(opa-image|sbom)|scripts\/bundle\/toolkit-dependencies|scripts\/testing\/run-files|bench\/[^/]+)\.ts$/.test(
    path,
  )

const environmentReaders = ['server/config/config.ts', 'scripts/cli.ts']
/** Where clock and randomness enter; everything else gets them as arguments. */
const isWorldly = (path: string): boolean =>
  isProcessEntry(path) ||
  path === 'server/app.ts' ||
  /^scripts\/(commands|runners)\//.test(path) ||
  path.startsWith('server/adapters/')

type Find = (source: Source, node: Node) => boolean

/** A rule that finds nodes in files where they must not be. */
const forbid = (name: string, isAllowed: (path: string) => boolean, find: Find): Rule => ({
  name,
  check: (sources) =>
    sources
      .filter((source) => isShipped(source) && !isAllowed(source.path))
      .flatMap((source) =>
        [...walk(source.file)]
          .filter((node) => find(source, node))
          .map((node) => ({ rule: name, where: placeOf(source, node), what: node.getText(source.file).slice(0, 60) })),
      ),
})

const isMember =
  (pattern: RegExp): Find =>
  (source, node) =>
    isPropertyAccessExpression(node) && pattern.test(node.getText(source.file))

const calls =
  (pattern: RegExp): Find =>
  (source, node) =>
    isCallExpression(node) && pattern.test(node.expression.getText(source.file))

const isNewDate: Find = (source, node) =>
  isNewExpression(node) && node.expression.getText(source.file) === 'Date' && (node.arguments?.length ?? 0) === 0

const clock: Find = (source, node) =>
  calls(/^(Date\.now|performance\.now|process\.hrtime(\.bigint)?)$/)(source, node) || isNewDate(source, node)

const randomness = calls(
  /^(Math\.random|(crypto\.)?(randomBytes|randomUUID|randomInt|getRandomValues|generateKeyPairSync))$/,
)

/** Calls that touch the world; a variable made by one at import would be a side effect. */
const worldly =
  /(^|\.)(read\w*|write\w*|spawn\w*|exec\w*|fetch|listen|connect|setTimeout|setInterval|createServer|mkdir\w*|rm\w*|open\w*|on|once)$/

const touchesWorld = (source: Source, statement: Node): boolean =>
  [...walk(statement, (node) => !isFunction(node) && node.kind !== SyntaxKind.ClassDeclaration)].some(
    (node) => isAwaitExpression(node) || calls(worldly)(source, node),
  )

const inert = new Set([
  SyntaxKind.ImportDeclaration,
  SyntaxKind.ExportDeclaration,
  SyntaxKind.ExportAssignment,
  SyntaxKind.TypeAliasDeclaration,
  SyntaxKind.InterfaceDeclaration,
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.ClassDeclaration,
  SyntaxKind.ModuleDeclaration,
])

const isGuard = (source: Source, node: Node): boolean =>
  isProcessEntry(source.path) && isIfStatement(node) && node.expression.getText(source.file) === 'import.meta.main'

const imports: Rule = {
  name: 'nothing happens at import',
  check: (sources) =>
    sources.filter(isShipped).flatMap((source) =>
      source.file.statements
        .filter((node) => !inert.has(node.kind) && !isGuard(source, node))
        .filter((node) => node.kind !== SyntaxKind.VariableStatement || touchesWorld(source, node))
        .map(
          (node): Breach => ({
            rule: imports.name,
            where: placeOf(source, node),
            what: node.getText(source.file).slice(0, 60),
          }),
        ),
    ),
}

/** All rules about effects. */
export const effectRules: readonly Rule[] = [
  forbid(
    'process.env is read in server/config/config.ts and scripts/cli.ts only',
    (path) => environmentReaders.includes(path),
    isMember(/^process\.env$/),
  ),
  forbid('process.exit stands in process entry files only', isProcessEntry, calls(/^process\.exit$/)),
  forbid('the clock enters as an argument', isWorldly, clock),
  forbid('randomness enters as an argument', isWorldly, randomness),
  imports,
]
