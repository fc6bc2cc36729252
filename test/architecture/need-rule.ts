/** A file below test/ states what the programs need that it starts, so that a machine without them leaves its tests out. */
import {
  isArrayLiteralExpression,
  isCallExpression,
  isStringLiteral,
  isTaggedTemplateExpression,
  type Node,
} from 'typescript/unstable/ast'
import { needOf } from '../../scripts/testing/need.ts'
import { parseNeeds } from '../../scripts/testing/test-file.ts'
import { placeOf, type Rule, type Source, walk } from './source.ts'

/** What every machine has that the launcher starts on. */
const COMMON_PROGRAMS = ['chown', 'chroot', 'cp', 'find', 'install', 'mv', 'sh', 'sha256sum', 'tar', 'true']

/** What only building the lab's cache takes; test/lab/prepare brings these, and no test starts them. */
const BUILD_PROGRAMS = ['dpkg-deb', 'go', 'gpg', 'gpgconf', 'npm', 'openssl', 'pip']

/** Functions whose first argument is a program, or a list that begins with one. */
const STARTERS = /(^|\.)(spawn|spawnSync|execFile|execFileSync|execute|demand|findProgram|locate)$/
const SHELL_STARTERS = /^(exec|execSync)$/

/** The program of a command line in a template of zx; undefined where a value stands in its place, or a path. */
function templateProgram(template: string): string | undefined {
  return /^`(?:exec )?([\w-]+)(?=[\s`])/.exec(template)?.[1]
}

/** The program that a call or a template of zx starts, when it names it. */
function programOf(node: Node, source: Source): string | undefined {
  if (isTaggedTemplateExpression(node)) {
    return /^\$/.test(node.tag.getText(source.file)) ? templateProgram(node.template.getText(source.file)) : undefined
  }
  if (!isCallExpression(node)) return undefined
  const callee = node.expression.getText(source.file)
  const first = node.arguments[0]
  const program = first !== undefined && isArrayLiteralExpression(first) ? first.elements[0] : first
  if (program === undefined || !isStringLiteral(program)) return undefined
  if (SHELL_STARTERS.test(callee)) return program.text.split(' ')[0]
  return STARTERS.test(callee) ? program.text : undefined
}

function statedPrograms({ path, text }: Source): ReadonlySet<string> {
  const isLab = path.startsWith('test/lab/')
  const needs = [...parseNeeds(text), ...(isLab ? ['lab'] : [])]
  return new Set([
    ...needs.flatMap((need) => needOf(need).programs),
    ...COMMON_PROGRAMS,
    ...(isLab ? BUILD_PROGRAMS : []),
  ])
}

const statedNeeds: Rule = {
  name: 'a test file states what the programs need that it starts',
  check: (sources) =>
    sources
      .filter(({ path }) => path.startsWith('test/'))
      .flatMap((source) => {
        const stated = statedPrograms(source)
        return [...walk(source.file)].flatMap((node) => {
          const program = programOf(node, source)
          if (program === undefined || stated.has(program)) return []
          return [{ rule: statedNeeds.name, where: placeOf(source, node), what: `${program} without "Needs: …"` }]
        })
      }),
}

/** All rules about needs. */
export const needRules: readonly Rule[] = [statedNeeds]
