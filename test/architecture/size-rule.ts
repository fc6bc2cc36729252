/** How large files and functions may be, and how they are spread. */
import type { Node } from 'typescript/unstable/ast'
import { isFunction, isShipped, placeOf, type Rule, type Source, walk } from './source.ts'

const fileLinesMax = 250
const functionLinesMax = 50
const medianLinesMax = 80
const ninthDecileLinesMax = 180
const spineLinesMax = 90
const spine = ['server/governance/govern.ts', 'scripts/converge/converge.ts', 'server/app.ts']

const halves = ['scripts', 'server'] as const

const files: Rule = {
  name: 'files hold 250 lines at most',
  check: (sources) =>
    sources
      .filter((source) => isShipped(source) && source.lines.length > fileLinesMax)
      .map(({ path, lines }) => ({ rule: files.name, where: `${path}:1`, what: `${lines.length} lines` })),
}

const linesOf = ({ file }: Source, node: Node): number =>
  file.getLineAndCharacterOfPosition(node.end).line - file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1

const functions: Rule = {
  name: 'functions hold 50 lines at most',
  check: (sources) =>
    sources.filter(isShipped).flatMap((source) =>
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

/** All rules about sizes. */
export const sizeRules: readonly Rule[] = [files, functions, core, distribution]
