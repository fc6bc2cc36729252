/** Whether something listens, asked of this machine's kernel. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { listeningFact } from '../../../scripts/facts/listening-address.ts'
import { factsHere } from '../known-host.ts'

test('a listener is found by its address and port; one at another address, a connection and nobody are not', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect(port, '127.0.0.1')
  await once(client, 'connect')
  const isListening = (host: string, at: number) => factsHere()(listeningFact(host, at))
  const { localPort = 0 } = client
  assert.deepEqual(
    [
      await isListening('127.0.0.1', port),
      await isListening('127.0.0.2', port),
      await isListening('127.0.0.1', localPort),
    ],
    [true, false, false],
  )
  client.destroy()
  server.close()
  await once(server, 'close')
  assert.equal(await isListening('127.0.0.1', port), false)
})

test("an address as the kernel's table writes it", () => {
  const stdinless = listeningFact('192.0.2.7', 443).query.argv
  assert.ok(stdinless.includes(' 070200C0:01BB 00000000:0000 0A '), stdinless.join())
})
