/** The listener on a socket that somebody else opened: as many connections wait there as the opener said. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'

/** More than Node's own backlog of 511. */
const CONNECTIONS = 700

/** Listens on descriptor 3, says so, and then accepts nothing. */
const INSTANCE = `import { createServer } from 'node:http'
import { writeSync } from 'node:fs'
const { listen } = await import(process.argv[1])
await listen(createServer(), { kind: 'descriptor', fd: 3 })
writeSync(1, 'listening')
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`

test('connections wait at an inherited socket while nobody accepts them', async () => {
  const opener = createServer()
  await new Promise<void>((resolve) => opener.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, resolve))
  const { port } = opener.address() as { port: number }
  const { fd } = (opener as unknown as { _handle: { fd: number } })._handle
  const script = [
    '--input-type=module',
    '-e',
    INSTANCE,
    join(import.meta.dirname, '../../../server/process/listener.ts'),
  ]
  const instance = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'inherit', fd] })
  const sockets: Socket[] = []
  try {
    await once(instance.stdout as NodeJS.EventEmitter, 'data')
    opener.close()
    const standing = Array.from({ length: CONNECTIONS }, () => {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      return once(socket, 'connect')
    })
    assert.equal((await Promise.all(standing)).length, CONNECTIONS)
  } finally {
    for (const socket of sockets) socket.destroy()
    instance.kill('SIGKILL')
  }
})
