/** Which addresses of a model server are warned about: plain http beyond the machine and the private network. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upstreamWarning } from '../../../scripts/session/upstream-warning.ts'

const silent = [
  undefined,
  'https://api.example.com/v1',
  'http://127.0.0.1:8000/v1',
  'http://127.1/v1',
  'http://localhost:8000/v1',
  'http://[::1]:8000/v1',
  'http://10.1.2.3/v1',
  'http://172.16.0.1/v1',
  'http://172.31.255.254/v1',
  'http://192.168.1.2/v1',
  'http://169.254.1.1/v1',
  'http://100.64.0.1/v1',
  'http://[fd12:3456::1]/v1',
  'http://[fe80::1]/v1',
  'http://models:8000/v1',
  'http://models.internal:8000/v1',
  'http://MODELS.local/v1',
  'http://models.home.arpa./v1',
] as const

for (const upstream of silent) {
  test(`upstream: nothing is said of ${upstream}`, () =>
    assert.equal(upstreamWarning({ gateway: { upstream } }), undefined))
}

const warned = [
  'http://api.example.com/v1',
  'HTTP://api.example.com/v1',
  'http://8.8.8.8/v1',
  'http://172.32.0.1/v1',
  'http://[2001:db8::1]/v1',
  'http://10.example.com/v1',
  'http://localhost.example.com/v1',
  'http://internal.example.com/v1',
] as const

for (const upstream of warned) {
  test(`upstream: ${upstream} is warned about`, () => {
    const warning = upstreamWarning({ gateway: { upstream } })
    assert.equal(warning?.what, `calls to the model server at ${new URL(upstream).host} are not encrypted`)
    assert.match(warning?.why ?? '', /key and every prompt/)
    assert.match(warning?.next ?? '', /https:/)
  })
}

test('upstream: a password in the address is not shown', () => {
  const upstream = ['http://ada:', 'hidden', '@api.example.com/v1'].join('')
  assert.doesNotMatch(JSON.stringify(upstreamWarning({ gateway: { upstream } })), /hidden/)
})
