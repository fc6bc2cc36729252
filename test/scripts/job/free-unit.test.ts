/** The name of the unit that runs go on as, made free for the next one: what a dead one has left goes on elsewhere, a running one is refused by name. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { freeUnitCommand } from '../../../scripts/job/job-command.ts'
import { execute } from '../../lab/execution.ts'
import { scratch } from '../known-host.ts'

/** Says what a unit is, as systemd does: it stays loaded while something is in its group, and is forgotten once it is dead and reset. */
const SYSTEMCTL = `#!/bin/sh
cd "$(dirname "$0")/.."
case "$1 $2" in
"show --property=LoadState") [ -e unit ] && echo loaded || echo not-found ;;
"show --property=ActiveState") cat unit; [ "$(cat unit)" != deactivating ] || echo failed >unit ;;
"show --property=ControlGroup") echo /system.slice/tappass-run.service ;;
"show --property=MainPID") echo 4711 ;;
"show --property=ActiveEnterTimestamp") echo today ;;
"reset-failed --") echo reset >>calls; [ -s "$(cat groups)" ] || rm unit ;;
esac
`
const BUSCTL = `#!/bin/sh
cd "$(dirname "$0")/.."
echo "$*" >>calls; : >"$(cat groups)"
`

type Row = Readonly<{ name: string; state?: string; left?: string; code: number; calls: RegExp; says?: RegExp }>
const rows: readonly Row[] = [
  { name: 'none', code: 0, calls: /^$/ },
  { name: 'one that failed, and was not collected', state: 'failed', code: 0, calls: /^reset\n$/ },
  { name: 'one that ended, and was not collected', state: 'inactive', code: 0, calls: /^reset\n$/ },
  {
    name: 'one that was killed, whose children run',
    state: 'failed',
    left: '17\n18\n',
    code: 0,
    calls: /StartTransientUnit ssa\(sv\)a\(sa\(sv\)\) tappass-run-left-\d+\.scope fail 1 PIDs au 2 17 18 0\nreset\n$/,
  },
  { name: 'one that is ending', state: 'deactivating', code: 0, calls: /^reset\n$/ },
  {
    name: 'one that runs',
    state: 'active',
    left: '17\n',
    code: 75,
    calls: /^$/,
    says: /^tappass-run\.service is running: process 4711, since today$/,
  },
]

for (const { name, state, left = '', code, calls, says } of rows)
  test(`the unit of a run: ${name}: ${code === 0 ? 'the name is free' : 'refused by name, and left alone'}`, async (context) => {
    const folder = scratch(context)
    const group = join(folder, 'cgroup/system.slice/tappass-run.service')
    for (const each of [group, join(folder, 'bin')]) mkdirSync(each, { recursive: true })
    writeFileSync(join(group, 'cgroup.procs'), left)
    writeFileSync(join(folder, 'groups'), join(group, 'cgroup.procs'))
    if (state !== undefined) writeFileSync(join(folder, 'unit'), `${state}\n`)
    for (const [tool, script] of [
      ['systemctl', SYSTEMCTL],
      ['busctl', BUSCTL],
    ] as const)
      writeFileSync(join(folder, 'bin', tool), script, { mode: 0o755 })
    const env = { PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter) }
    const output = await execute([...freeUnitCommand(join(folder, 'cgroup')).argv], { env })
    assert.equal(output.code, code, output.stderr)
    const noted = join(folder, 'calls')
    assert.match(existsSync(noted) ? readFileSync(noted, 'utf8') : '', calls)
    assert.equal(existsSync(join(folder, 'unit')), code !== 0)
    assert.match(output.stderr.trim(), says ?? /^$/)
  })
