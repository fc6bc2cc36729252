/** What no import may do: cross the halves, reach into tests, make a circle, hide its file; no barrels, no default exports. */
import { isExportAssignment, isExportDeclaration, SyntaxKind } from 'typescript/unstable/ast'
import { type Breach, type Import, importsOf, isExported, placeOf, type Rule, type Source } from './source.ts'

const breach = (rule: string, { from, node }: Import, what: string): Breach => ({
  rule,
  where: placeOf(from, node),
  what,
})

const relative = (sources: readonly Source[]): readonly (Import & Readonly<{ target: string }>)[] =>
  sources.flatMap(importsOf).flatMap((each) => (each.target === undefined ? [] : [{ ...each, target: each.target }]))

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
export const importRules: readonly Rule[] = [halves, tests, extensions, cycles, barrels, defaults]
