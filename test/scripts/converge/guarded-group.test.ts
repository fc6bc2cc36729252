/** Resources that are guarded together: the guard is set once, every failure puts all back, and the ingress is asked before all is confirmed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GuardedGroup } from '../../../scripts/converge/guarded-group.ts'
import type { Watch } from '../../../scripts/converge/resource-step.ts'
import { changeCommand } from '../../../scripts/core/command.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import { confirmCommand, type Guard, renewCommand, restoreCommand } from '../../../scripts/core/guard.ts'
import type { Command, Output, Runner } from '../../../scripts/core/host.ts'
import type { Resource } from '../../../scripts/core/resource.ts'
import { nonce } from '../known-host.ts'

const guardedWith: Guard = { paths: ['/etc/ingress'], units: [], serving: [{ name: 'main.service' }] }
const outside = { host: 'gw.example.com', port: 443, isFitting: true, isTrusted: true, seconds: 0 }
const ok: Output = { code: 0, stdout: '', stderr: '' }

const kindOf = ({ argv }: Command): string => {
  for (const [kind, command] of [
    ['confirm', confirmCommand()],
    ['restore', restoreCommand()],
    ['renew', renewCommand()],
  ] as const)
    if (argv.includes(command.argv[2] ?? '')) return kind
  return argv.join(' ').includes('systemd-run') ? 'arm' : 'change'
}

type Row = Readonly<{
  name: string
  /** The answers of the host to these kinds of commands; of changes, to that of this name. */
  codes?: Readonly<Record<string, number>>
  isLive?: boolean
  unmet?: string
  isReachable?: boolean
  watch?: Watch
  isNothingExpected?: boolean
  /** A third one, that the changes of both make necessary. */
  isMoreNeeded?: boolean
  asked: readonly string[]
  ends: readonly (number | 'put-back' | 'failed')[]
  says?: RegExp
}>

const watching = (isWatched: boolean, code: number): Watch => ({
  isWatched: async () => isWatched,
  awaitConfirmation: async (_, seconds, expected) => {
    assert.deepEqual([seconds, expected], [60, outside])
    return { ...ok, code, stderr: 'no answer from outside' }
  },
})

const rows: readonly Row[] = [
  { name: 'all is well', asked: ['restore', 'arm', 'one', 'two', 'renew', 'ask', 'new:confirm'], ends: [1, 1] },
  {
    name: 'what the changes make necessary is a part of it',
    isMoreNeeded: true,
    asked: ['restore', 'arm', 'one', 'two', 'three', 'renew', 'ask', 'new:confirm'],
    ends: [1, 2],
  },
  {
    name: 'what the changes make necessary fails',
    isMoreNeeded: true,
    codes: { three: 1 },
    asked: ['restore', 'arm', 'one', 'two', 'three', 'restore'],
    ends: [1, 'put-back'],
  },
  { name: 'nothing serves yet: nothing to go back to', isLive: false, asked: ['one', 'two'], ends: [1, 1] },
  {
    name: 'nothing is expected from outside: a new connection is enough',
    isNothingExpected: true,
    asked: ['restore', 'arm', 'one', 'two', 'renew', 'new:confirm'],
    ends: [1, 1],
  },
  {
    name: 'it does not answer any more',
    unmet: 'no answer from outside',
    asked: ['restore', 'arm', 'one', 'two', 'renew', 'ask', 'restore'],
    ends: [1, 'put-back'],
    says: /no answer from outside.*put back/,
  },
  {
    name: 'no new connection is made',
    isReachable: false,
    asked: ['restore', 'arm', 'one', 'two', 'renew', 'ask', 'restore'],
    ends: [1, 'put-back'],
    says: /no new connection.*put back/,
  },
  {
    name: 'the host has put it back already',
    codes: { confirm: 3 },
    asked: ['restore', 'arm', 'one', 'two', 'renew', 'ask', 'new:confirm', 'restore'],
    ends: [1, 'put-back'],
    says: /not confirmed within 60 s/,
  },
  {
    name: 'a step fails',
    codes: { one: 1 },
    asked: ['restore', 'arm', 'one', 'restore'],
    ends: ['put-back'],
    says: /put back/,
  },
  { name: 'it cannot be guarded, so it is not begun', codes: { arm: 1 }, asked: ['restore', 'arm'], ends: ['failed'] },
  {
    name: 'nobody watches a unit of the host',
    watch: watching(false, 0),
    asked: [],
    ends: ['put-back'],
    says: /nobody is connected/,
  },
  {
    name: 'whoever watches has confirmed',
    watch: watching(true, 0),
    asked: ['restore', 'arm', 'one', 'two', 'renew'],
    ends: [1, 1],
  },
  {
    name: 'whoever watches has refused',
    watch: watching(true, 6),
    asked: ['restore', 'arm', 'one', 'two', 'renew', 'restore'],
    ends: [1, 'put-back'],
    says: /no answer from outside.*put back/,
  },
]

/** A resource that is planned until its command has run; with a guard of its own, which that of the group covers. */
const resourceOf = (name: string, done: Set<string>, isGuarded: boolean): Resource => ({
  id: name,
  guardedWith,
  plan: async () =>
    done.has(name)
      ? []
      : [
          {
            ...{ action: name, reason: 'it must', commands: [changeCommand(name)] },
            ...(isGuarded ? { guard: { paths: [`/etc/${name}`], units: [] } } : {}),
          },
        ],
})

/** Planned only after the other two are done. */
const laterOf = (name: string, done: Set<string>): Resource => {
  const { plan, ...resource } = resourceOf(name, done, false)
  return { ...resource, plan: async (getFact) => (done.has('one') && done.has('two') ? await plan(getFact) : []) }
}

for (const { name, codes = {}, isLive = true, unmet, isReachable = true, watch, ...row } of rows) {
  test(`guarded group: ${name}`, async () => {
    const [asked, done]: [string[], Set<string>] = [[], new Set()]
    const runner =
      (prefix: string): Runner =>
      async (command) => {
        const kind = kindOf(command)
        const script = String(command.stdin)
        const word = kind === 'change' ? (/'?(one|two|three)'?/.exec(script)?.[1] ?? kind) : kind
        asked.push(`${prefix}${word}`)
        if (kind === 'arm')
          for (const each of ['ingress', 'one', 'two']) assert.ok(command.argv.includes(`/etc/${each}`))
        const code = codes[word] ?? 0
        if (kind !== 'change') return { ...ok, code }
        done.add(word)
        const end = `\n${/[0-9a-f]{32}/.exec(script)?.[0]} 0 ${code}\n`
        return { ...ok, stdout: end, stderr: end }
      }
    const run = runner('')
    const unused = {
      runAsUser: run,
      endReads: () => undefined,
      dial: () => assert.fail(),
      close: async () => undefined,
    }
    const resources = ['one', 'two'].map((each) => resourceOf(each, done, isLive))
    const group = new GuardedGroup(
      {
        ...{ run, nonce, nowMs: () => 0, shouldStop: () => false, emit: () => undefined, retryCommand: 'again', watch },
        reconnect: async () => {
          if (!isReachable) throw new Failure({ what: 'no answer' }, 6)
          return { ...unused, run: runner('new:') }
        },
        freshFacts: () => async () => ({ active: isLive ? 'active' : 'inactive' }) as never,
        outside: row.isNothingExpected ? undefined : outside,
      },
      [...resources, ...(row.isMoreNeeded ? [laterOf('three', done)] : [])],
      await Promise.all(
        resources.map(async (resource) => ({ resource, changes: await resource.plan(() => assert.fail()) })),
      ),
      async (expected) => {
        assert.equal(expected, outside)
        asked.push('ask')
        return unmet
      },
    )
    const ends: (number | string)[] = []
    let said = ''
    for (const [index, resource] of resources.entries()) {
      const outcome = await group.apply({ resource, step: index + 1, steps: 2 })
      assert.ok(!(outcome instanceof Failure))
      ends.push(typeof outcome === 'number' ? outcome : outcome.isPutBack === true ? 'put-back' : 'failed')
      if (typeof outcome === 'number') continue
      said = outcome.output.join(' ')
      break
    }
    assert.deepEqual([asked, ends], [row.asked, row.ends])
    assert.match(said, row.says ?? /^/)
    assert.equal(group.isOpen(), false)
  })
}
