/** An instance is started and watched until it serves: what systemctl shows look by look, and how the command ends. */
import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { serveCommand } from '../../../scripts/core/unit-command.ts'
import { here, scratch } from '../known-host.ts'

/** Shows the lines of `states` one after the other, the last one for ever; writes down what else it is called with. */
const SYSTEMCTL = `#!/bin/sh
cd "\${0%/*}"
[ "$1" = show ] || { echo "$*" >>calls; exit 0; }
n=$(cat count 2>/dev/null || echo 0); n=$((n + 1)); echo $n >count
{ sed -n "\${n}p" states | grep . || tail -n 1 states; } | tr ' ' '\\n'
`

const [old, stopping, starting, up] = [
  'Job=7 ActiveState=active StatusText=serving',
  'Job=7 ActiveState=deactivating StatusText=serving',
  'Job=7 ActiveState=activating StatusText=',
  'ActiveState=active StatusText=serving_http://here',
]
const sick = 'ActiveState=active StatusText=unhealthy:_redis'
const died = 'ActiveState=activating SubState=auto-restart StatusText= Result=exit-code'

const rows = [
  { name: 'it serves, and goes on', states: [old, stopping, starting, up], code: 0 },
  { name: 'its old process still serves while the job waits', states: [...Array<string>(20).fill(old), died], code: 1 },
  {
    name: 'it drains for longer than a start may take',
    states: [...Array<string>(400).fill(stopping), starting, up],
    code: 0,
  },
  { name: 'it starts and waits for ever', states: [starting], code: 1 },
  { name: 'it dies', states: [starting, died], code: 1 },
  { name: 'it failed for good', states: ['ActiveState=failed StatusText= Result=timeout'], code: 1 },
  { name: 'it serves, and is not well a moment later', states: [starting, up, up, sick], code: 1 },
  { name: 'it is not well at first, and then is', states: [starting, sick, up], code: 0 },
  { name: 'it serves and dies', states: [up, up, died], code: 1 },
] as const

for (const { name, states, code } of rows) {
  test(`serve: ${name}: ${code === 0 ? 'it is well' : 'it is not'}`, async (context) => {
    const folder = scratch(context)
    writeFileSync(join(folder, 'states'), `${states.join('\n')}\n`)
    for (const [program, text] of [
      ['systemctl', SYSTEMCTL],
      ['sleep', '#!/bin/sh\n'],
    ] as const) {
      writeFileSync(join(folder, program), text)
      chmodSync(join(folder, program), 0o755)
    }
    const { argv, ...rest } = serveCommand('restart', 'x@1.service', 'serving')
    const [program, ...words] = argv
    const output = await here({ ...rest, argv: ['env', `PATH=${folder}:/usr/bin:/bin`, program, ...words] })
    assert.equal(output.code, code, output.stderr)
    assert.equal(readFileSync(join(folder, 'calls'), 'utf8'), 'restart --no-block -- x@1.service\n')
    assert.equal(/x@1\.service is not well: .*ActiveState/.test(output.stderr), code !== 0)
  })
}
