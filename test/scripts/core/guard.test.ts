/** The scripts of a guarded change, run here on files of a folder; systemd is a program that writes down what it is asked. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  armCommand,
  awaitConfirmationCommand,
  awaitedCommand,
  confirmCommand,
  GUARD_EXPIRED_CODE,
  type Guard,
  refuseCommand,
  renewCommand,
  restoreCommand,
} from '../../../scripts/core/guard.ts'
import type { Command } from '../../../scripts/core/host.ts'
import { scratch } from '../known-host.ts'

/** A unit `NAME.active` and `NAME.enabled` say its state, where the stand-in for systemctl looks. */
const SYSTEMCTL = `#!/bin/sh
cd "\${0%/*}"
echo "$*" >>log
case $1 in
  is-active|is-enabled) cat "\${1#is-}/$2" 2>/dev/null; [ -s "\${1#is-}/$2" ] ;;
  --quiet) [ "$2" != is-active ] || [ -s "active/$3" ] ;;
  show) shift 3; cat "pid/$1" 2>/dev/null || echo 0 ;;
  *) [ ! -e broken ] ;;
esac`

const hostIn = (context: TestContext) => {
  const root = scratch(context)
  const bin = join(root, 'bin')
  for (const folder of ['bin/active', 'bin/enabled', 'bin/pid', 'etc'])
    mkdirSync(join(root, folder), { recursive: true })
  for (const [name, text] of [
    ['systemctl', SYSTEMCTL],
    ['systemd-run', '#!/bin/sh\necho "systemd-run $*" >>"${0%/*}/log"; [ ! -e "${0%/*}/broken-timer" ]'],
    ['logger', '#!/bin/sh\n'],
  ] as const) {
    writeFileSync(join(bin, name), text)
    chmodSync(join(bin, name), 0o755)
  }
  const run = ({ argv: [program, ...args], stdin }: Command) => {
    const env = { PATH: `${bin}:${process.env['PATH']}` }
    const { status, stderr } = spawnSync(program, args, { env, encoding: 'utf8', input: String(stdin ?? '') })
    return { code: status, stderr }
  }
  const folder = join(root, 'guard')
  return {
    root,
    path: (name: string) => join(root, 'etc', name),
    unit: (name: string, active: string, enabled: string, pid = 1) => {
      writeFileSync(join(bin, 'pid', name), `${pid}\n`)
      writeFileSync(join(bin, 'active', name), active)
      writeFileSync(join(bin, 'enabled', name), enabled)
    },
    break: (what: 'broken' | 'broken-timer') => writeFileSync(join(bin, what), ''),
    mend: () => rmSync(join(bin, 'broken')),
    asked: () => readFileSync(join(bin, 'log'), 'utf8').trim().split('\n'),
    forget: () => rmSync(join(bin, 'log'), { force: true }),
    arm: (guard: Guard) => run(armCommand(guard, folder)),
    confirm: (name = '') => run(confirmCommand(name, folder)),
    name: (name: string) => run(awaitedCommand(name, folder)),
    await: () => run(awaitConfirmationCommand(0, folder)),
    refuse: (name: string, reason: string) => run(refuseCommand(name, reason, folder)),
    renew: () => run(renewCommand(folder)),
    restore: () => run(restoreCommand(folder)),
    isPending: () => existsSync(join(folder, 'pending')),
  }
}

test('guard: what is not confirmed is put back: contents, modes, absence, and units', (context) => {
  const host = hostIn(context)
  writeFileSync(host.path('old'), 'before')
  chmodSync(host.path('old'), 0o640)
  host.unit('was.service', 'active', 'enabled')
  const guard = { paths: [host.path('old'), host.path('new')], units: ['was.service', 'new.service'] }
  assert.deepEqual(host.arm(guard), { code: 0, stderr: '' })
  const timer = host.asked().find((line) => line.startsWith('systemd-run')) ?? ''
  assert.match(timer, /--on-active=40 .*restore /)
  writeFileSync(host.path('old'), 'after')
  chmodSync(host.path('old'), 0o666)
  writeFileSync(host.path('new'), 'after')
  host.forget()
  assert.deepEqual(host.restore(), { code: 0, stderr: '' })
  assert.equal(readFileSync(host.path('old'), 'utf8'), 'before')
  assert.equal(statSync(host.path('old')).mode & 0o777, 0o640)
  assert.equal(existsSync(host.path('new')), false)
  assert.deepEqual(host.asked().slice(0, 5), [
    '--quiet disable new.service',
    'stop new.service',
    'daemon-reload',
    '--quiet enable was.service',
    'reload-or-restart was.service',
  ])
  assert.equal(host.isPending(), false)
  assert.equal(host.confirm().code, GUARD_EXPIRED_CODE, 'it is too late')
})

test('guard: what serves again is up before what took its place is stopped, with a standby in front; an unchanged process goes on', (context) => {
  const host = hostIn(context)
  host.unit('same.service', 'active', 'enabled', 7)
  host.unit('main.service', 'active', 'enabled', 8)
  host.unit('other.service', 'inactive', 'disabled', 0)
  const serving = [
    { name: 'other.service' },
    { name: 'main.service', standby: 'standby.service' },
    { name: 'same.service' },
  ]
  assert.deepEqual(host.arm({ paths: [], units: [], serving }), { code: 0, stderr: '' })
  assert.match(host.asked().find((line) => line.startsWith('systemd-run')) ?? '', /--on-active=60 /)
  host.unit('main.service', '', 'disabled', 0)
  host.unit('other.service', 'active', 'enabled', 9)
  host.forget()
  assert.equal(host.restore().code, 0)
  const changes = host.asked().filter((line) => !/^(show|--quiet is-active)|guard-window/.test(line))
  assert.deepEqual(changes, [
    '--quiet disable other.service',
    'daemon-reload',
    '--quiet enable main.service',
    'start standby.service',
    'restart main.service',
    'stop standby.service',
    '--quiet enable same.service',
    'stop other.service',
  ])
})

test('guard: the time of a change of several steps begins again, until it was put back', (context) => {
  const host = hostIn(context)
  host.arm({ paths: [], units: [] })
  host.forget()
  assert.equal(host.renew().code, 0)
  assert.deepEqual(host.asked(), ['restart tappass-guard-window.timer'])
  host.restore()
  assert.equal(host.renew().code, GUARD_EXPIRED_CODE)
})

test('guard: what is confirmed stays, and nothing is left to put back', (context) => {
  const host = hostIn(context)
  writeFileSync(host.path('old'), 'before')
  host.arm({ paths: [host.path('old')], units: [] })
  writeFileSync(host.path('old'), 'after')
  assert.equal(host.confirm().code, 0)
  host.forget()
  assert.equal(host.restore().code, 0)
  assert.equal(readFileSync(host.path('old'), 'utf8'), 'after')
  assert.equal(host.confirm().code, GUARD_EXPIRED_CODE)
})

test('guard: a change while another waits is refused, and the first can still be put back', (context) => {
  const host = hostIn(context)
  writeFileSync(host.path('old'), 'before')
  host.arm({ paths: [host.path('old')], units: [] })
  writeFileSync(host.path('old'), 'after')
  const second = host.arm({ paths: [host.path('old')], units: [] })
  assert.equal(second.code, 1)
  assert.match(second.stderr, /was not confirmed/)
  host.restore()
  assert.equal(readFileSync(host.path('old'), 'utf8'), 'before')
})

test('guard: without a timer nothing is changed', (context) => {
  const host = hostIn(context)
  host.break('broken-timer')
  assert.notEqual(host.arm({ paths: [host.path('old')], units: [] }).code, 0)
  assert.equal(host.isPending(), false)
})

test('guard: what could not be put back is tried again', (context) => {
  const host = hostIn(context)
  host.arm({ paths: [host.path('new')], units: [] })
  writeFileSync(host.path('new'), 'after')
  host.break('broken')
  assert.equal(host.restore().code, 1)
  assert.equal(host.isPending(), true)
  host.mend()
  assert.equal(host.restore().code, 0)
  assert.deepEqual([host.isPending(), existsSync(host.path('new'))], [false, false])
})

test('guard: folders too, and what no unit brings back in force', (context) => {
  const host = hostIn(context)
  mkdirSync(host.path('zones'))
  writeFileSync(join(host.path('zones'), 'public'), 'before')
  const ran = join(host.root, 'ran')
  host.arm({ paths: [host.path('zones'), host.path('new')], units: [], reload: `echo again >${ran}` })
  writeFileSync(join(host.path('zones'), 'public'), 'after')
  writeFileSync(join(host.path('zones'), 'other'), 'after')
  mkdirSync(host.path('new'))
  assert.deepEqual(host.restore(), { code: 0, stderr: '' })
  assert.deepEqual(readdirSync(host.path('zones')), ['public'])
  assert.equal(readFileSync(join(host.path('zones'), 'public'), 'utf8'), 'before')
  assert.equal(existsSync(host.path('new')), false)
  assert.equal(readFileSync(ran, 'utf8'), 'again\n')
  host.arm({ paths: [], units: [], reload: 'exit 1' })
  assert.deepEqual([host.restore().code, host.isPending()], [1, true], 'it failed, and is tried again')
})

test('guard: whoever waits for the confirmation of another one is told how it ended, also when it ended before', (context) => {
  const host = hostIn(context)
  const guard = { paths: [host.path('a')], units: [] }
  assert.equal(host.await().code, GUARD_EXPIRED_CODE, 'nothing was ever guarded')
  host.arm(guard)
  host.confirm()
  assert.equal(host.await().code, 0)
  host.arm(guard)
  host.restore()
  assert.equal(host.await().code, GUARD_EXPIRED_CODE)
  host.arm(guard)
  host.refuse('another', 'it is of another change')
  assert.equal(host.isPending(), true)
  host.name('this')
  assert.equal(host.confirm('another').code, GUARD_EXPIRED_CODE)
  host.refuse('this', 'no new connection: no route')
  assert.deepEqual(host.await(), { code: 6, stderr: 'no new connection: no route\n' })
  host.arm(guard)
  host.name('this')
  assert.equal(host.confirm('this').code, 0)
  host.arm(guard)
  host.restore()
  assert.equal(host.await().code, GUARD_EXPIRED_CODE, 'the reason is that of the change before')
})
