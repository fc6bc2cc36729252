/** Consent: given beforehand, given at the terminal, or not to be had. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createConfirm, createNameConfirm } from '../../../scripts/command-line/confirmation.ts'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'

const typing = (options: Invocation['options'], isTTY: boolean) => {
  const stdin = Object.assign(new PassThrough(), { isTTY })
  const stderr = Object.assign(new PassThrough(), { isTTY })
  const controller = new AbortController()
  const verb = { name: 'bootstrap', summary: '', options: [] }
  const invocation = {
    verb,
    operands: [],
    options,
    stdin,
    stderr,
    interrupt: controller.signal,
  } as unknown as Invocation
  return { invocation, stdin, stderr, controller }
}

test('confirm: --yes asks nobody', async () => {
  assert.equal(await createConfirm(typing({ yes: true }, false).invocation)('a', 3), true)
})

for (const [name, options, isTTY, next] of [
  ['no terminal', { config: 'a b.yaml' }, false, "tappass bootstrap --config 'a b.yaml' --yes"],
  ['--no-input', { 'no-input': true }, true, 'tappass bootstrap --no-input --yes'],
] as const) {
  test(`confirm: ${name} fails with the flag to give`, async () => {
    await assert.rejects(
      createConfirm(typing(options, isTTY).invocation)('a', 3),
      (error: Error & { code: number; text: { next: string } }) => {
        assert.equal(error.text.next, next)
        return error.code === 64
      },
    )
  })
}

for (const [answer, expected] of [
  ['y', true],
  ['YES', true],
  ['', false],
  ['n', false],
  ['yes please', false],
] as const) {
  test(`confirm: "${answer}" is ${expected ? 'one' : 'none'}`, async () => {
    const { invocation, stdin } = typing({}, true)
    const asked = createConfirm(invocation)('a', 1)
    stdin.write(`${answer}\n`)
    assert.equal(await asked, expected)
  })
}

test('confirm: hosts ask one after the other', async () => {
  const { invocation, stdin, stderr } = typing({}, true)
  const consent = createConfirm(invocation)
  const answers = [consent('a', 1), consent('b', 2)]
  const rows = [
    ['to a?', 'y\n'],
    ['to b?', 'n\n'],
  ]
  let text = ''
  // What is typed is echoed, so each question is answered once.
  stderr.on('data', (chunk) => {
    text += chunk
    const [question = '', answer = ''] = rows[0] ?? []
    if (question === '' || !text.includes(question)) return
    assert.ok(rows.length === 1 || !text.includes('to b?'), 'asked side by side')
    rows.shift()
    stdin.write(answer)
  })
  assert.deepEqual(await Promise.all(answers), [true, false])
})

test('confirm: Ctrl-C at the question is an interruption', async () => {
  const { invocation, controller } = typing({}, true)
  const asked = createConfirm(invocation)('a', 1)
  setImmediate(() => controller.abort('SIGINT'))
  await assert.rejects(asked, { name: 'Failure', code: 130 })
})

test('confirm by name: --yes asks nobody, and without a terminal it is the flag to give', async () => {
  assert.equal(await createNameConfirm(typing({ yes: true }, false).invocation)('root@a', 'a', '3 changes'), true)
  await assert.rejects(createNameConfirm(typing({}, false).invocation)('root@a', 'a', '3 changes'), {
    code: 64,
    message: /root@a not confirmed: no terminal to confirm on; pass --yes/,
  })
})

for (const [answer, expected] of [
  ['gw.example.com', true],
  ['y', false],
  ['yes', false],
  ['', false],
  ['GW.example.com', false],
  ['other.example.com', false],
  ['root@gw.example.com', false],
] as const) {
  test(`confirm by name: "${answer}" is ${expected ? 'one' : 'none'}`, async () => {
    const { invocation, stdin } = typing({}, true)
    const asked = createNameConfirm(invocation)('root@gw.example.com', 'gw.example.com', '3 changes')
    stdin.write(`${answer}\n`)
    assert.equal(await asked, expected)
  })
}
