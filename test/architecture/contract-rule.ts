/** What both halves must agree on is written in contract/ and imported from there: the port, paths of a host, names of units. */
import {
  isNoSubstitutionTemplateLiteral,
  isNumericLiteral,
  isStringLiteral,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { GATEWAY_PORT } from '../../contract/gateway.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { UNIT } from '../../contract/unit.ts'
import { isShipped, placeOf, type Rule, type Source, walk } from './source.ts'

const escaped = (text: string): string => text.replaceAll(/[.@]/g, '\\$&')
const PATHS = [HOST_PATH.configFolder, HOST_PATH.programFolder, HOST_PATH.stateFolder, HOST_PATH.runtimeFolder]
const PLACES = [...PATHS, HOST_PATH.convergeFolder, HOST_PATH.credentialsFolder, HOST_PATH.encryptedCredentialsFolder]
/** The files of drop-ins and of single purposes carry the product's name too; a path of ours ends or goes on with a slash. */
const WRITTEN = new RegExp(
  `(^|[^\\w.])(${[...PLACES, ...Object.values(UNIT)].map(escaped).join('|')})(?=$|[^\\w@-])|\\b${GATEWAY_PORT}\\b`,
)

const TEXT_KINDS = new Set([SyntaxKind.TemplateHead, SyntaxKind.TemplateMiddle, SyntaxKind.TemplateTail])

const textOf = (node: Node, { file }: Source): string | undefined => {
  if (isNumericLiteral(node)) return node.getText(file).replaceAll('_', '')
  const isText = isStringLiteral(node) || isNoSubstitutionTemplateLiteral(node) || TEXT_KINDS.has(node.kind)
  return isText ? node.getText(file).slice(1) : undefined
}

const literals: Rule = {
  name: 'what contract/ says is typed nowhere else',
  check: (sources) =>
    sources
      .filter((source) => isShipped(source) && !source.path.startsWith('contract/'))
      .flatMap((source) =>
        [...walk(source.file)].flatMap((node) => {
          const found = WRITTEN.exec(textOf(node, source) ?? '')
          if (found === null) return []
          return [{ rule: literals.name, where: placeOf(source, node), what: found[0] }]
        }),
      ),
}

/** All rules about the contract. */
export const contractRules: readonly Rule[] = [literals]
