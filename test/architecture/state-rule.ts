/** No state of a module in what detects: importing a detector makes nothing that a call could change. */
import { isVariableStatement, type Node, NodeFlags, SyntaxKind } from 'typescript/unstable/ast'
import { type Breach, placeOf, type Rule, type Source, walk } from './source.ts'

/** Where it holds. Elsewhere few modules have constants at all. */
const isDetecting = ({ path }: Source): boolean => /^server\/(detection|rules|steps)\//.test(path)

/** What is made empty is made to be filled. */
const MADE_TO_BE_FILLED = /^(new (Weak)?(Map|Set)(<.*>)?\(\)|new Weak(Map|Set)\b|new \w+Array\(|\[\]$|\{\}$)/s

/** Calls and assignments that change a thing. The place where a sticky expression starts is an argument of its next call. */
const CHANGES =
  /^(\w+)(\.(set|add|push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin|delete|clear)\(|\[[^\]]+\] [-+*|&^]?= )/

type Constant = Readonly<{ name: string; node: Node; isVariable: boolean; value: string; type: string }>

const topLevel = (source: Source): readonly Constant[] =>
  source.file.statements.filter(isVariableStatement).flatMap(({ declarationList }) =>
    declarationList.declarations.map((node) => ({
      name: node.name.getText(source.file),
      node,
      isVariable: (declarationList.flags & NodeFlags.Const) === 0,
      value: node.initializer?.getText(source.file) ?? '',
      type: node.type?.getText(source.file) ?? '',
    })),
  )

const changed = (source: Source, names: ReadonlySet<string>): readonly Node[] =>
  [...walk(source.file)].filter((node) => {
    if (node.kind !== SyntaxKind.CallExpression && node.kind !== SyntaxKind.BinaryExpression) return false
    const [, name] = CHANGES.exec(node.getText(source.file)) ?? []
    return name !== undefined && names.has(name)
  })

const state: Rule = {
  name: 'detection has no state of a module',
  check: (sources) =>
    sources.filter(isDetecting).flatMap((source): readonly Breach[] => {
      const constants = topLevel(source)
      const own = constants.filter(
        ({ isVariable, value, type }) =>
          isVariable || (MADE_TO_BE_FILLED.test(value) && !/^readonly |^Readonly/.test(type)),
      )
      const nodes = [...own.map(({ node }) => node), ...changed(source, new Set(constants.map(({ name }) => name)))]
      return nodes.map((node) => ({
        rule: state.name,
        where: placeOf(source, node),
        what: node.getText(source.file).slice(0, 60),
      }))
    }),
}

/** All rules about state. */
export const stateRules: readonly Rule[] = [state]
