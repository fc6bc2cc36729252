/** Nothing is installed unused: what package.json ships is imported by shipped code, the rest by tests, benches or configuration. */
import { importsOf, isShipped, type Rule, type Source } from './source.ts'

/** The part of package.json that is read here, and the text of the configuration of tools. */
export type Manifest = Readonly<{
  dependencies: Readonly<Record<string, string>>
  devDependencies: Readonly<Record<string, string>>
  configuration: string
}>

/** No part of Node, and no expression (a dynamic import may have one). */
const PACKAGE_NAME = /^(@[\w.-]+\/)?[\w.-]+(\/|$)/

/** The packages that files import: `semver` for `semver/functions/lt.js`. */
const importedBy = (sources: readonly Source[]): ReadonlySet<string> =>
  new Set(
    sources
      .flatMap(importsOf)
      .filter(({ target, specifier }) => target === undefined && PACKAGE_NAME.test(specifier))
      .map(({ specifier }) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')),
  )

const shipped = ({ dependencies }: Manifest): Rule => {
  const name = 'every dependency is imported by shipped code'
  return {
    name,
    check: (sources) => {
      const own = sources.filter(isShipped)
      const imported = importedBy(own)
      // A file of it may be sent on as it is.
      const isNamed = (each: string) => own.some(({ text }) => text.includes(`node_modules/${each}/`))
      return Object.keys(dependencies)
        .filter((each) => !imported.has(each) && !isNamed(each))
        .map((each) => ({ rule: name, where: 'package.json:1', what: each }))
    },
  }
}

const listed = ({ dependencies }: Manifest): Rule => {
  const name = 'shipped code imports dependencies only'
  return {
    name,
    check: (sources) =>
      sources
        .filter(isShipped)
        .flatMap((source) =>
          [...importedBy([source])]
            .filter((each) => dependencies[each] === undefined)
            .map((each) => ({ rule: name, where: `${source.path}:1`, what: each })),
        ),
  }
}

const development = ({ devDependencies, configuration }: Manifest): Rule => {
  const name = 'every devDependency is used by tests, benches or configuration'
  return {
    name,
    check: (sources) => {
      const imported = importedBy(sources)
      const texts = sources.map(({ text }) => text)
      const isUsed = (each: string): boolean =>
        imported.has(each.replace(/^@types\//, '')) ||
        each === '@types/node' ||
        configuration.includes(each) ||
        texts.some((text) => text.includes(`node_modules/${each}/`))
      return Object.keys(devDependencies)
        .filter((each) => !isUsed(each))
        .map((each) => ({ rule: name, where: 'package.json:1', what: each }))
    },
  }
}

/** All rules about dependencies, for one package.json. */
export const dependencyRules = (manifest: Manifest): readonly Rule[] => [
  shipped(manifest),
  listed(manifest),
  development(manifest),
]
