/** Plans as text: rows of changes, with and without their diffs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PlannedChange } from '../../../scripts/output/event.ts'
import { planLines } from '../../../scripts/output/plan-text.ts'

const change = (role: string, resource: string, action: string, diff?: string): PlannedChange => ({
  ...{ role, resource, action, reason: 'it is absent' },
  ...(diff === undefined ? {} : { diff }),
})

const diff = '--- /dev/null\n+++ /etc/x\n@@ -0,0 +1,1 @@\n+a\n'
const changes = [
  change('foundation', 'apt-package:prerequisites', 'install curl'),
  change('foundation', 'account:tappass', 'add account tappass'),
  change('foundation', 'directory:/etc', 'create /etc'),
  change('foundation', 'file:/etc/x', 'write /etc/x', diff),
  change('gateway', 'unit:x.service', 'write /etc/systemd/system/x.service', diff),
  change('gateway', 'unit:x.service', 'start x.service'),
  change('gateway', 'release:/opt', 'install release 1'),
]

const summary = [
  '7 changes to 6 of 60 resources:',
  '  role        packages  accounts  files  units  others',
  '  foundation  1         1         2      ·      ·',
  '  gateway     ·         ·         ·      1      1',
]

test('plan: a summary by role, a line for each change, and how to see the rest', () => {
  assert.deepEqual(planLines({ event: 'plan', resources: 60, changes }, false), [
    ...summary,
    ...changes.map(({ action }) => `  ~ ${action}, because it is absent`),
    '  (--diff shows how the content of 2 files changes)',
  ])
})

test('plan: each diff below its change', () => {
  const shown = diff.trimEnd().split('\n')
  assert.deepEqual(planLines({ event: 'plan', resources: 60, changes }, true), [
    ...summary,
    ...changes.flatMap((each) => [
      `  ~ ${each.action}, because it is absent`,
      ...(each.diff === undefined ? [] : shown.map((line) => `      ${line}`)),
    ]),
  ])
})

test('plan: one change without a diff', () => {
  assert.deepEqual(planLines({ event: 'plan', resources: 1, changes: changes.slice(1, 2) }, false), [
    '1 change to 1 of 1 resource:',
    '  role        packages  accounts  files  units  others',
    '  foundation  ·         1         ·      ·      ·',
    '  ~ add account tappass, because it is absent',
  ])
})

test('plan: nothing to do', () => {
  assert.deepEqual(planLines({ event: 'plan', resources: 60, changes: [] }, false), [
    'no changes needed: all 60 resources are up to date',
  ])
})
