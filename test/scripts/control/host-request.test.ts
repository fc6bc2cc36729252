/** A request on a host: nothing secret in arguments, and the script does what it says under a real shell. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { createHostTransport, requestCommand } from '../../../scripts/control/host-request.ts'

describe('exchange on a host', () => {
  test('questions read, the rest changes', () => {
    assert.equal(requestCommand('GET', '/agents', '').effect, 'read')
    assert.equal(requestCommand('POST', '/agents', '{}').effect, 'change')
  })

  test('words that a shell would take apart arrive whole', () => {
    const body = JSON.stringify({ agent_id: `it's "$HOME" \`id\`` })
    const script = String(requestCommand('POST', '/agents', body).stdin)
    const stubbed = script
      .replaceAll('/opt/tappass/node/current/bin/node', process.execPath)
      .replace(
        /const \[method[\s\S]*exitCode = 1 \}\)/,
        'console.log(process.argv[3] + require("node:fs").readFileSync(0, "utf8"))',
      )
      .replaceAll('[ -e /etc/credstore.encrypted/tappass-admin-api-key ]', 'true')
      .replace(/systemd-creds decrypt [^\n]*/, 'printf secret')
    const { stdout, stderr } = spawnSync('sh', ['-s'], { input: stubbed, encoding: 'utf8' })
    assert.deepEqual([stdout, stderr], [`${body}secret\n`, ''])
  })

  test('an answer is a value, a host that can’t ask is a failure with its last words', async () => {
    const answering = createHostTransport(
      async () => ({ code: 0, stdout: '{"status":200,"text":"[]"}\n', stderr: '' }),
      'h',
      'tappass status',
    )
    assert.deepEqual(await answering({ method: 'GET', path: '/agents', key: '' }), { status: 200, text: '[]' })
    const failing = createHostTransport(
      async () => ({ code: 1, stdout: '', stderr: 'connect ECONNREFUSED\n' }),
      'h',
      'tappass status',
    )
    await assert.rejects(failing({ method: 'GET', path: '/agents', key: '' }), {
      message: 'cannot reach the gateway on the host',
      text: {
        what: 'cannot reach the gateway on the host',
        where: 'h',
        why: 'connect ECONNREFUSED',
        next: 'tappass status',
      },
    })
  })
})
