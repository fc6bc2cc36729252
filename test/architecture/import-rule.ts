/** Who may import whom: arrows, siblings, cycles, barrels and default exports. */
import { isExportAssignment, isExportDeclaration, SyntaxKind } from 'typescript/unstable/ast'
import { type Breach, type Import, importsOf, isExported, placeOf, type Rule, type Source } from './source.ts'

/** From a layer to all that it may import besides itself. A layer is the first pattern that a path matches. */
const layers: readonly Readonly<{ name: string; pattern: RegExp; imports: readonly string[] }>[] = [
  { name: 'cli', pattern: /^scripts\/cli\.ts$/, imports: ['commands', 'toolkit core'] },
  { name: 'commands', pattern: /^scripts\/commands\//, imports: ['recipe', 'runners', 'toolkit core'] },
  { name: 'recipe', pattern: /^scripts\/recipe\.ts$/, imports: ['roles', 'toolkit core'] },
  { name: 'roles', pattern: /^scripts\/roles\//, imports: ['resources', 'toolkit core'] },
  { name: 'resources', pattern: /^scripts\/resources\//, imports: ['toolkit core'] },
  { name: 'runners', pattern: /^scripts\/runners\//, imports: ['toolkit core'] },
  { name: 'toolkit core', pattern: /^scripts\/core\//, imports: ['toolkit core'] },
  {
    name: 'app',
    pattern: /^server\/app\.ts$/,
    imports: ['process parts', 'http', 'adapters', 'steps', 'gateway core'],
  },
  { name: 'http', pattern: /^server\/http\//, imports: ['gateway core'] },
  { name: 'adapters', pattern: /^server\/adapters\//, imports: ['gateway core'] },
  { name: 'steps', pattern: /^server\/steps\//, imports: ['gateway core'] },
  { name: 'gateway core', pattern: /^server\/core\//, imports: ['gateway core'] },
  { name: 'policy', pattern: /^server\/policy\//, imports: ['gateway core'] },
  {
    name: 'processes',
    pattern: /^server\/(main|migrate|verify|backup)\.ts$/,
    imports: ['app', 'process parts', 'adapters', 'gateway core'],
  },
  // What processes share besides the core: config, and how they open, listen and drain.
  { name: 'process parts', pattern: /^server\/[^/]+\.ts$/, imports: ['adapters', 'gateway core'] },
]

const layerOf = (path: string) => layers.find(({ pattern }) => pattern.test(path))

const breach = (rule: string, { from, node }: Import, what: string): Breach => ({
  rule,
  where: placeOf(from, node),
  what,
})

const relative = (sources: readonly Source[]): readonly (Import & Readonly<{ target: string }>)[] =>
  sources.flatMap(importsOf).flatMap((each) => (each.target === undefined ? [] : [{ ...each, target: each.target }]))

/** The part of a path that stands for one of several interchangeable things: the file or the folder in its group. */
const siblingOf = (path: string): readonly [group: string, member: string] | undefined => {
  const match = path.match(
    /^((?:scripts\/(?:commands|resources|roles|runners))|(?:server\/(?:steps|adapters|http)))\/([^/]+)/,
  )
  return match === null ? undefined : [match[1] ?? '', match[2] ?? '']
}

const arrows: Rule = {
  name: 'imports follow the arrows',
  check: (sources) =>
    relative(sources).flatMap((each) => {
      const [from, to] = [layerOf(each.from.path), layerOf(each.target)]
      if (from === undefined) return []
      if (to !== undefined && (from.name === to.name || from.imports.includes(to.name))) return []
      return [breach(arrows.name, each, `${from.name} must not import ${to?.name ?? each.target}`)]
    }),
}

const halves: Rule = {
  name: 'scripts/ and server/ never import each other',
  check: (sources) =>
    relative(sources)
      .filter(({ from, target }) => /^(scripts|server)\//.test(from.path) && /^(scripts|server)\//.test(target))
      .filter(({ from, target }) => from.path.split('/')[0] !== target.split('/')[0])
      .map((each) => breach(halves.name, each, `imports ${each.target}`)),
}

const tests: Rule = {
  name: 'nothing imports test/',
  check: (sources) =>
    relative(sources)
      .filter(({ from, target }) => !from.path.startsWith('test/') && target.startsWith('test/'))
      .map((each) => breach(tests.name, each, `imports ${each.target}`)),
}

const siblings: Rule = {
  name: 'siblings do not import each other',
  check: (sources) =>
    relative(sources).flatMap((each) => {
      const [from, to] = [siblingOf(each.from.path), siblingOf(each.target)]
      if (from === undefined || to === undefined || from[0] !== to[0] || from[1] === to[1]) return []
      return [breach(siblings.name, each, `${each.from.path} imports ${each.target}`)]
    }),
}

const extensions: Rule = {
  name: 'imports name the file, .ts included',
  check: (sources) =>
    relative(sources)
      .filter(({ target }) => !target.endsWith('.ts'))
      .map((each) => breach(extensions.name, each, each.specifier)),
}

/** The first cycle found from each file that has not been visited, as a path of files. */
const findCycles = (sources: readonly Source[]): readonly (readonly string[])[] => {
  const edges = new Map(sources.map(({ path }) => [path, [] as string[]]))
  for (const { from, target } of relative(sources)) edges.get(from.path)?.push(target)
  const [done, trail, cycles]: [Set<string>, string[], string[][]] = [new Set(), [], []]
  const visit = (path: string): void => {
    const at = trail.indexOf(path)
    if (at >= 0) cycles.push([...trail.slice(at), path])
    if (at >= 0 || done.has(path)) return
    trail.push(path)
    for (const next of edges.get(path) ?? []) visit(next)
    trail.pop()
    done.add(path)
  }
  for (const { path } of sources) visit(path)
  return cycles
}

const cycles: Rule = {
  name: 'no cycles',
  check: (sources) =>
    findCycles(sources).map((cycle) => ({ rule: cycles.name, where: `${cycle[0]}:1`, what: cycle.join(' → ') })),
}

const barrels: Rule = {
  name: 'no barrel files',
  check: (sources) =>
    sources.flatMap((source) =>
      source.file.statements
        .filter((node) => isExportDeclaration(node) && node.moduleSpecifier !== undefined)
        .map((node) => ({ rule: barrels.name, where: placeOf(source, node), what: node.getText(source.file) })),
    ),
}

const defaults: Rule = {
  name: 'no default exports',
  check: (sources) =>
    sources.flatMap((source) =>
      source.file.statements
        .filter((node) => {
          const { modifiers } = node as { modifiers?: readonly { kind: SyntaxKind }[] }
          const isDefault = isExported(node) && modifiers?.some(({ kind }) => kind === SyntaxKind.DefaultKeyword)
          const isRenamed = isExportDeclaration(node) && /\bas default\b/.test(node.getText(source.file))
          return isExportAssignment(node) || isDefault || isRenamed
        })
        .map((node) => ({ rule: defaults.name, where: placeOf(source, node), what: 'default export' })),
    ),
}

/** All rules about imports and exports. */
export const importRules: readonly Rule[] = [arrows, halves, tests, siblings, extensions, cycles, barrels, defaults]
