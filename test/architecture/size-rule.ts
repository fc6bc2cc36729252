/** How large files and functions may be, and how much of them is comment. */
import { type Node, SyntaxKind } from 'typescript/unstable/ast'
import { type Breach, isFunction, placeOf, type Rule, type Source, walk } from './source.ts'

const fileLinesMax = 250
const functionLinesMax = 50
const medianLinesMax = 80
const ninthDecileLinesMax = 180
const spineLinesMax = 90
const spine = ['server/core/govern.ts', 'scripts/core/converge.ts', 'server/app.ts']
/** Of all lines of a half; docs/architecture.md. */
const commentShareRange = [0.08, 0.15] as const

const isOurs = ({ path }: Source): boolean => /^(scripts|server)\//.test(path)
const halves = ['scripts', 'server'] as const

const files: Rule = {
  name: 'files hold 250 lines at most',
  check: (sources) =>
    sources
      .filter((source) => isOurs(source) && source.lines.length > fileLinesMax)
      .map(({ path, lines }) => ({ rule: files.name, where: `${path}:1`, what: `${lines.length} lines` })),
}

const linesOf = ({ file }: Source, node: Node): number =>
  file.getLineAndCharacterOfPosition(node.end).line - file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1

const functions: Rule = {
  name: 'functions hold 50 lines at most',
  check: (sources) =>
    sources.filter(isOurs).flatMap((source) =>
      [...walk(source.file)]
        .filter((node) => isFunction(node) && linesOf(source, node) > functionLinesMax)
        .map((node) => ({
          rule: functions.name,
          where: placeOf(source, node),
          what: `${linesOf(source, node)} lines`,
        })),
    ),
}

const core: Rule = {
  name: 'govern, converge and app hold 90 lines at most',
  check: (sources) =>
    sources
      .filter(({ path, lines }) => spine.includes(path) && lines.length > spineLinesMax)
      .map(({ path, lines }) => ({ rule: core.name, where: `${path}:1`, what: `${lines.length} lines` })),
}

/** The value below which a share of the numbers lies (nearest rank). */
const quantile = (numbers: readonly number[], share: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(share * numbers.length) - 1)] ?? 0

const distribution: Rule = {
  name: 'the median file holds 80 lines at most, nine in ten 180',
  check: (sources) =>
    halves.flatMap((half) => {
      const sizes = sources.filter(({ path }) => path.startsWith(`${half}/`)).map(({ lines }) => lines.length)
      const [median, ninth] = [quantile(sizes, 0.5), quantile(sizes, 0.9)]
      const what = `median ${median}, nine in ten ${ninth}`
      const isOver = median > medianLinesMax || ninth > ninthDecileLinesMax
      return isOver ? [{ rule: distribution.name, where: `${half}:1`, what }] : []
    }),
}

/** The lines on which nothing but a comment stands. */
const commentLines = ({ lines, file, text }: Source): number => {
  const codeLines = new Set<number>()
  for (const node of walk(file)) {
    if (node.kind === SyntaxKind.SourceFile || hasChildren(node)) continue
    const first = file.getLineAndCharacterOfPosition(node.getStart(file)).line
    const last = file.getLineAndCharacterOfPosition(node.end).line
    for (let line = first; line <= last; line++) codeLines.add(line)
  }
  let isInBlock = false
  return lines.filter((line, index) => {
    if (codeLines.has(index) || text === '') return false
    const isComment = isInBlock || /^\s*\/[/*]/.test(line)
    if (/^\s*\/\*/.test(line)) isInBlock = true
    if (isInBlock && line.includes('*/')) isInBlock = false
    return isComment
  }).length
}

const hasChildren = (node: Node): boolean => node.forEachChild(() => true) === true

const comments: Rule = {
  name: '8 to 15 % of all lines are comments',
  check: (sources) =>
    halves.flatMap((half): readonly Breach[] => {
      const ours = sources.filter(({ path }) => path.startsWith(`${half}/`))
      const [all, said] = ours.reduce(([a, b], source) => [a + source.lines.length, b + commentLines(source)], [0, 0])
      const share = said / Math.max(1, all)
      const isWithin = all === 0 || (share >= commentShareRange[0] && share <= commentShareRange[1])
      return isWithin ? [] : [{ rule: comments.name, where: `${half}:1`, what: `${(share * 100).toFixed(1)} %` }]
    }),
}

/** All rules about sizes. */
export const sizeRules: readonly Rule[] = [files, functions, core, distribution, comments]
