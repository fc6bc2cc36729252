/** What cloud-init says of itself, asked on this machine of one that is played. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type FirstBoot, firstBootEndFact, firstBootFact } from '../../../scripts/facts/first-boot.ts'
import { here, scratch } from '../known-host.ts'
import { text } from '../roles/blank-host.ts'

const waiting = text('scripts/first-boot.sh')

type Host = Readonly<{ says?: string; result?: string }>

/** `says` is a script in the place of cloud-init, `result` its result.json. */
async function ask(context: TestContext, fact: typeof firstBootFact, { says, result }: Host): Promise<FirstBoot> {
  const folder = scratch(context)
  for (const name of ['bin', 'run']) mkdirSync(join(folder, name))
  if (says !== undefined) writeFileSync(join(folder, 'bin/cloud-init'), `#!/bin/sh\n${says}\n`, { mode: 0o755 })
  if (result !== undefined) writeFileSync(join(folder, 'run/result.json'), result)
  const moved = waiting.replaceAll('/run/cloud-init', join(folder, 'run'))
  const { query, parse } = fact(`PATH=${folder}/bin:/usr/bin:/bin\n${moved}`)
  return parse(await here(query))
}

const ended = (errors: readonly string[]) =>
  JSON.stringify({ v1: { datasource: 'DataSourceNoCloud [seed=/x]', errors } }, undefined, 1)

const rows: readonly (Host & Readonly<{ name: string; answer: FirstBoot }>)[] = [
  { name: 'no cloud-init', answer: { state: '', problem: '' } },
  { name: 'running', says: "echo; echo 'status: running'", answer: { state: 'running', problem: '' } },
  { name: 'not started', says: "echo 'status: not started'; exit 0", answer: { state: 'not started', problem: '' } },
  { name: 'done, and not asked again', says: 'exit 9', result: ended([]), answer: { state: 'done', problem: '' } },
  {
    name: 'ended with errors',
    says: 'exit 9',
    result: ended(['no network', 'and this']),
    answer: { state: 'error', problem: '"no network", "and this"' },
  },
  {
    name: 'an error without a result',
    says: "printf 'status: error\\nextended_status: error - done\\ndetail:\\nDataSourceNone\\nerrors:\\n\\t- no data\\n'; exit 1",
    answer: { state: 'error', problem: 'no data' },
  },
]

for (const { name, answer, ...host } of rows) {
  test(`first boot: ${name}`, async (context) => assert.deepEqual(await ask(context, firstBootFact, host), answer))
}

test('first boot: it is waited for until it is done', async (context) => {
  const says = `cd "$(dirname "$0")"; echo x >>asked; [ "$(grep -c . asked)" -gt 2 ] && echo 'status: done' || echo 'status: running'`
  assert.equal((await ask(context, firstBootEndFact, { says })).state, 'done')
})
