/** Source files as the architecture's rules see them: parsed by the TypeScript compiler, from any tree of texts. */
import { dirname, join, normalize } from 'node:path'
import {
  isArrowFunction,
  isCallExpression,
  isExportDeclaration,
  isImportDeclaration,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { createVirtualFileSystem } from 'typescript/unstable/fs'
import { API } from 'typescript/unstable/sync'

/** One file. `path` is relative to the repository (`scripts/cli.ts`), `lines` are its lines without line ends. */
export type Source = Readonly<{ path: string; text: string; lines: readonly string[]; file: SourceFile }>

/** What is wrong, where: `path:line`. */
export type Breach = Readonly<{ rule: string; where: string; what: string }>

/** A rule looks at all sources at once. */
export type Rule = Readonly<{ name: string; check: (sources: readonly Source[]) => readonly Breach[] }>

/** Parses a tree of texts (path → text); nothing is read from the disk. */
export const parseSources = (texts: Readonly<Record<string, string>>): readonly Source[] => {
  const paths = Object.keys(texts).filter((path) => path.endsWith('.ts'))
  const configuration = { compilerOptions: { noLib: true, noResolve: true, types: [] }, files: paths }
  const files: Record<string, string> = { '/tree/tsconfig.json': JSON.stringify(configuration) }
  for (const path of paths) files[`/tree/${path}`] = texts[path] ?? ''
  const api = new API({ cwd: '/tree', fs: createVirtualFileSystem(files) })
  try {
    const program = api.updateSnapshot({ openProjects: ['/tree/tsconfig.json'] }).getProjects()[0]?.program
    return paths.map((path) => {
      const file = program?.getSourceFile(`/tree/${path}`)
      if (file === undefined) throw new Error(`the compiler did not parse ${path}`)
      const text = texts[path] ?? ''
      return { path, text, lines: text.replace(/\n$/, '').split('\n'), file }
    })
  } finally {
    api.close()
  }
}

/** `path:line` of a node, counted from 1. */
export const placeOf = (source: Source, node: Node): string =>
  `${source.path}:${source.file.getLineAndCharacterOfPosition(node.getStart(source.file)).line + 1}`

/** All nodes below a node, itself first, in order; a subtree is left out where `isEntered` says no. */
export function* walk(node: Node, isEntered: (node: Node) => boolean = () => true): Generator<Node> {
  yield node
  if (!isEntered(node)) return
  const children: Node[] = []
  node.forEachChild((child) => {
    children.push(child)
  })
  for (const child of children) yield* walk(child, isEntered)
}

/** One import or re-export: from which file, of which file (when it is relative) or package, and where. */
export type Import = Readonly<{ from: Source; specifier: string; target: string | undefined; node: Node }>

const specifierOf = (node: Node): Node | undefined => {
  if (isImportDeclaration(node) || isExportDeclaration(node)) return node.moduleSpecifier
  if (isCallExpression(node) && node.expression.kind === SyntaxKind.ImportKeyword) return node.arguments[0]
  return undefined
}

/** All imports of a file, type-only, dynamic and re-exporting ones too. */
export const importsOf = (source: Source): readonly Import[] =>
  [...walk(source.file)].flatMap((node) => {
    const literal = specifierOf(node)
    if (literal === undefined) return []
    const specifier = literal.getText(source.file).slice(1, -1)
    const target = specifier.startsWith('.') ? normalize(join(dirname(source.path), specifier)) : undefined
    return [{ from: source, specifier, target, node }]
  })

const functionKinds = new Set([
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.FunctionExpression,
  SyntaxKind.ArrowFunction,
  SyntaxKind.MethodDeclaration,
  SyntaxKind.Constructor,
  SyntaxKind.GetAccessor,
  SyntaxKind.SetAccessor,
])

/** Whether a node is a function of any kind. */
export const isFunction = (node: Node): boolean => functionKinds.has(node.kind) || isArrowFunction(node)

/** Whether a statement is exported. */
export const isExported = (node: Node): boolean => {
  const { modifiers } = node as Node & { modifiers?: readonly Node[] }
  return modifiers?.some((modifier) => modifier.kind === SyntaxKind.ExportKeyword) === true
}

/** Whether a file is one that runs in production: both halves and what they agree on, not tests and benches. */
export const isShipped = ({ path }: Source): boolean => /^(scripts|server|contract)\//.test(path)
