/** What no test may do: be skipped, be left for later, or stand alone. */
import { isCallExpression, isPropertyAssignment } from 'typescript/unstable/ast'
import { placeOf, type Rule, walk } from './source.ts'

const modifiers = /^(test|it|describe|suite)\.(skip|todo|only)$/

const skips: Rule = {
  name: 'no test is skipped, to do, or alone',
  check: (sources) =>
    sources
      .filter(({ path }) => path.startsWith('test/'))
      .flatMap((source) =>
        [...walk(source.file)]
          .filter((node) => {
            if (isCallExpression(node)) return modifiers.test(node.expression.getText(source.file))
            const isOption = isPropertyAssignment(node) && /^(skip|todo|only)$/.test(node.name.getText(source.file))
            return isOption && /^(test|it|describe|suite)$/.test(calleeOf(node)?.getText(source.file) ?? '')
          })
          .map((node) => ({
            rule: skips.name,
            where: placeOf(source, node),
            what: node.getText(source.file).slice(0, 60),
          })),
      ),
}

type Parented = Readonly<{ parent?: Parented; expression?: { getText: (file: unknown) => string } }>

/** The function that an options object is handed to. */
const calleeOf = (property: unknown): Parented['expression'] => (property as Parented).parent?.parent?.expression

/** All rules about tests. */
export const testRules: readonly Rule[] = [skips]
