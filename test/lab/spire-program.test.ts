/** What is left out of SPIRE's sources when the lab builds it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutClouds } from './spire-program.ts'

const listOf = (imports: readonly string[], builtIns: readonly string[]): string =>
  [
    'package catalog\n\nimport (',
    ...imports.map((path) => `\t${path}`),
    ')\n\n\treturn []catalog.BuiltIn{',
    ...builtIns.map((name) => `\t\t${name}.BuiltIn(),`),
    '\t}\n',
  ].join('\n')

const plugin = (path: string) => `"github.com/spiffe/spire/pkg/server/plugin/${path}"`

test('plugins of clouds go with their imports, all others stay', () => {
  const common = '"github.com/spiffe/spire/pkg/common/catalog"'
  const kept = [
    common,
    plugin('nodeattestor'),
    plugin('nodeattestor/jointoken'),
    `own ${plugin('upstreamauthority/spire')}`,
  ]
  const gone = [
    plugin('nodeattestor/awsiid'),
    `vaulted ${plugin('upstreamauthority/vault')}`,
    plugin('notifier/k8sbundle'),
  ]
  const source = listOf([...kept, ...gone], ['awsiid', 'jointoken', 'vaulted', 'own', 'k8sbundle'])
  assert.equal(withoutClouds(source), listOf(kept, ['jointoken', 'own']))
})
