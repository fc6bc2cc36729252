/** How files and things are named, and that they say what they are. */
import { isIdentifier, isVariableStatement, type Node, type Statement, SyntaxKind } from 'typescript/unstable/ast'
import { isExported, isShipped, placeOf, type Rule, type Source, walk } from './source.ts'

const banned = [
  'util',
  'utils',
  'helper',
  'helpers',
  'common',
  'misc',
  'manager',
  'base',
  'data',
  'info',
  'types',
  'shared',
  'lib',
]

/** The words of a kebab-case, camelCase or snake_case name, in lower case. */
const wordsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[-_.]/)

/** A name says nothing when a banned word is what it ends in, which is what the thing is said to be. */
const isEmptyName = (name: string): boolean => banned.includes(wordsOf(name).at(-1) ?? '')

/** Named so by the architecture's own tree, and by the product (the step `classify_data`). */
const prescribed = ['scripts/roles/data.ts', 'server/steps/classify-data.ts']

const kebab: Rule = {
  name: 'files and folders are named in kebab-case',
  check: (sources) =>
    sources.flatMap(({ path }) =>
      path
        .replace(/(\.test|\.d)?\.ts$/, '')
        .split('/')
        .filter((part) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part))
        .map((part) => ({ rule: kebab.name, where: `${path}:1`, what: part })),
    ),
}

const files: Rule = {
  name: 'no file is named after nothing',
  check: (sources) =>
    sources
      .filter(({ path }) => !prescribed.includes(path.replace(/^test\/(.*)\.test/, '$1')))
      .flatMap(({ path }) =>
        path
          .replace(/(\.test)?\.ts$/, '')
          .split('/')
          .filter(isEmptyName)
          .map((part) => ({ rule: files.name, where: `${path}:1`, what: part })),
      ),
}

const namesOf = (node: Node): readonly Node[] => {
  if (isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name)
  const { name } = node as Node & { name?: Node }
  return name === undefined ? [] : [name]
}

const exported: Rule = {
  name: 'no export is named after nothing',
  check: (sources) =>
    sources
      .filter((source) => isShipped(source) && !prescribed.includes(source.path))
      .flatMap((source) =>
        source.file.statements
          .filter(isExported)
          .flatMap(namesOf)
          .filter((name) => isIdentifier(name) && isEmptyName(name.text))
          .map((name) => ({ rule: exported.name, where: placeOf(source, name), what: name.getText(source.file) })),
      ),
}

const declarations = new Set([SyntaxKind.VariableDeclaration, SyntaxKind.Parameter, SyntaxKind.PropertySignature])

const declaredIn = (source: Source): readonly Readonly<{ name: Node; text: string; type: Node | undefined }>[] =>
  [...walk(source.file)].flatMap((node) => {
    const { name, type } = node as Node & { name?: Node; type?: Node }
    if (!declarations.has(node.kind) || name === undefined || !isIdentifier(name)) return []
    return [{ name, text: name.text, type }]
  })

const limits: Rule = {
  name: 'units and bounds stand last: bodyBytesMax',
  check: (sources) =>
    sources.filter(isShipped).flatMap((source) =>
      declaredIn(source)
        .filter(({ text }) => /^(max|min|ms|seconds|bytes)[A-Z]/.test(text) && !text.endsWith('Of'))
        .map(({ name, text }) => ({ rule: limits.name, where: placeOf(source, name), what: text })),
    ),
}

/** Names that a wire format prescribes. */
const wireBooleans = ['active', 'stream', 'ok', 'success', 'blocked', 'allowed']

const booleans: Rule = {
  name: 'booleans begin with is, has or should',
  check: (sources) =>
    sources.filter(isShipped).flatMap((source) =>
      declaredIn(source)
        .filter(({ type }) => type?.kind === SyntaxKind.BooleanKeyword)
        .filter(
          ({ text }) => !/^(is|has|should)[A-Z]/.test(text) && !text.includes('_') && !wireBooleans.includes(text),
        )
        .map(({ name, text }) => ({ rule: booleans.name, where: placeOf(source, name), what: text })),
    ),
}

const openings: Rule = {
  name: 'a file opens with what it is',
  check: (sources) =>
    sources
      .filter(({ text }) => !/^(#!.*\n)?\/(\*\*|\/)/.test(text))
      .map(({ path }) => ({ rule: openings.name, where: `${path}:1`, what: 'no opening comment' })),
}

/** Consecutive exports without an empty line between them share the first one's comment. */
const isDocumented = (source: Source, node: Statement): boolean => {
  const above = source.text.slice(0, node.getStart(source.file)).split('\n').slice(0, -1)
  const last = above.at(-1)?.trim() ?? ''
  if (last.endsWith('*/') || last.startsWith('//')) return true
  const before = source.file.statements[source.file.statements.indexOf(node) - 1]
  return last !== '' && before !== undefined && isExported(before) && isDocumented(source, before)
}

const docstrings: Rule = {
  name: 'every export says what it is',
  check: (sources) =>
    sources.filter(isShipped).flatMap((source) =>
      source.file.statements
        .filter((node) => isExported(node) && !isDocumented(source, node))
        .map((node) => ({
          rule: docstrings.name,
          where: placeOf(source, node),
          what: node.getText(source.file).slice(0, 60),
        })),
    ),
}

/** All rules about names and comments that say what a thing is. */
export const nameRules: readonly Rule[] = [kebab, files, exported, limits, booleans, openings, docstrings]
