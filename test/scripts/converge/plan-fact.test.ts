/** What of a host's answers a plan on file holds on to, and how far a change reaches. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Plan } from '../../../scripts/converge/plan.ts'
import { appliedChange, askedPathsOf, decidedDuringRun, reaches } from '../../../scripts/converge/plan-reach.ts'
import { hostPlanOf } from '../../../scripts/converge/plan-record.ts'
import { changeCommand } from '../../../scripts/core/command.ts'
import type { Fact } from '../../../scripts/core/host.ts'
import { accountFact, sudoUserFact } from '../../../scripts/facts/account.ts'
import { hostTraitsFact } from '../../../scripts/facts/host-trait.ts'
import { imageFact } from '../../../scripts/facts/image.ts'
import { isAptListFreshFact, packagesFact } from '../../../scripts/facts/package.ts'
import { contentFact, digestFact, type PathState, pathFact } from '../../../scripts/facts/path.ts'
import { unsafePathFact } from '../../../scripts/facts/permission.ts'
import { reachabilityFact } from '../../../scripts/facts/reachability.ts'
import { type UnitState, unitFact } from '../../../scripts/facts/unit.ts'
import { trixie } from '../known-host.ts'
import { specOf } from '../roles/blank-host.ts'

const asked = (fact: Fact<unknown>, value: unknown): Plan => ({
  ...{ resources: 1, planned: [], refusals: [], unhealthy: [] },
  asked: new Map([['r:x', [{ fact, value }]]]),
})
const factsOf = (fact: Fact<unknown>, value: unknown) => hostPlanOf(asked(fact, value), specOf(), 'salt').facts

const folder: PathState = { kind: 'directory', mode: '0755', owner: 'root', group: 'root', uid: 0, gid: 0, bytes: 40 }
const unit: UnitState = {
  ...{ name: 'x.service', load: 'loaded', active: 'active', sub: 'running', enabled: 'enabled', result: 'success' },
  ...{ isReloadNeeded: false, mainPid: 7, sinceSeconds: 1, revision: 'aa', status: 'serves 3', replacedLibraries: [] },
}
const packages = { byName: new Map([['curl', { status: 'ii', version: '1' }]]), interrupted: [] as string[] }

/** A question, what the host said when it was planned, what it says now, and whether that is another host. */
type Row = readonly [name: string, fact: Fact<unknown>, before: unknown, now: unknown, isOther: boolean]
const row = <T>(name: string, fact: Fact<T>, before: T, now: T, isOther: boolean): Row => [
  ...([name, fact as Fact<unknown>, before, now, isOther] as const),
]

const rows: readonly Row[] = [
  row('the mode of a folder', pathFact('/a'), folder, { ...folder, mode: '0777' }, true),
  row('how many names a folder has', pathFact('/a'), folder, { ...folder, bytes: 60 }, false),
  row<PathState>(
    'the size of a file',
    pathFact('/a'),
    { ...folder, kind: 'file' },
    { ...folder, kind: 'file', bytes: 41 },
    true,
  ),
  row<PathState>('a file that is gone', pathFact('/a'), { ...folder, kind: 'file' }, { kind: 'absent' }, true),
  row<string | undefined>('what a file holds', digestFact('/a'), 'aa', 'bb', true),
  row<string | undefined>('a secret that is not encrypted', digestFact('/etc/credstore/x'), 'aa', 'bb', false),
  row<string | undefined>('a text', contentFact('/a'), 'aa', 'ab', true),
  row(
    'the number of a process, its times and what it says',
    unitFact('x.service'),
    unit,
    { ...unit, mainPid: 8, sinceSeconds: 9, status: 'serves 4', sub: 'x' },
    false,
  ),
  row('a unit that is stopped', unitFact('x.service'), unit, { ...unit, active: 'inactive' }, true),
  row('a unit that runs another revision', unitFact('x.service'), unit, { ...unit, revision: 'bb' }, true),
  row('the age of the lists of packages', isAptListFreshFact, true, false, false),
  row(
    'an update in the night',
    packagesFact,
    packages,
    { ...packages, byName: new Map([['curl', { status: 'ii', version: '2' }]]) },
    false,
  ),
  row('a package that is half installed', packagesFact, packages, { ...packages, interrupted: ['curl'] }, true),
  row(
    'a lease of another address',
    hostTraitsFact,
    trixie,
    { ...trixie, network: { ...trixie.network, addresses: ['192.0.2.8'] } },
    false,
  ),
  row('memory, as the kernel counts it', hostTraitsFact, trixie, { ...trixie, memoryMegabytes: 8191 }, false),
  row('another system', hostTraitsFact, trixie, { ...trixie, versionId: '14' }, true),
  row<string | undefined>('whose sudo it was', sudoUserFact, 'ada', undefined, false),
  row('the way to a mirror', reachabilityFact('a.example'), 'reachable', 'unknown', false),
]

for (const [name, fact, before, now, isOther] of rows)
  test(`a plan on file: ${name} is ${isOther ? 'another host' : 'nothing that it holds on to'}`, () => {
    assert.equal(factsOf(fact, before) !== factsOf(fact, now), isOther)
  })

const change = (resource: string, ...argv: readonly [string, ...string[]]) => ({
  resource,
  changes: [{ action: 'do', reason: 'so', commands: [changeCommand(...argv)] as const }],
})
const write = change('file:/etc/a/x', 'mv', '/etc/a/.x.new', '/etc/a/x')
const start = change('unit:a.service', 'systemctl', 'start', 'a.service')
const install = change('apt-package:p', 'apt-get', 'install', 'p')

/** A change, a question of another resource, and whether the answer may be another one after it. */
const reach: readonly (readonly [change: typeof write, fact: Fact<never>, isReached: boolean])[] = [
  [write, digestFact('/etc/a/x') as Fact<never>, true],
  [write, pathFact('/etc/a/x/below') as Fact<never>, true],
  [write, pathFact('/etc/a') as Fact<never>, false],
  [write, pathFact('/etc/a/xy') as Fact<never>, false],
  [write, unsafePathFact('/etc/a') as Fact<never>, true],
  [write, unitFact('a.service') as Fact<never>, false],
  [start, unitFact('b.service') as Fact<never>, true],
  [start, imageFact('db:1') as Fact<never>, true],
  [start, accountFact('ada') as Fact<never>, true],
  [start, digestFact('/run/tappass/revision/a.service.read') as Fact<never>, true],
  [start, digestFact('/etc/sudoers.d/tappass') as Fact<never>, false],
  [start, contentFact('/etc/a/x') as Fact<never>, false],
  [install, digestFact('/etc/sudoers.d/tappass') as Fact<never>, true],
]

for (const [applied, fact, isReached] of reach)
  test(`a plan on file: ${applied.resource} ${isReached ? 'reaches' : 'does not reach'} ${fact.subject ?? fact.query.argv.at(-1)}`, () => {
    const question = askedPathsOf({ fact: fact as Fact<unknown>, value: undefined })
    assert.equal(reaches(appliedChange(applied.resource, applied.changes), [question]), isReached)
    const resource = { id: applied.resource, plan: async () => [] }
    const plan = { ...asked(fact as Fact<unknown>, undefined), planned: [{ resource, changes: applied.changes }] }
    assert.deepEqual(decidedDuringRun(plan), isReached ? ['r:x'] : [])
  })
