/** Checks that a port is free before anything is started. */

import { createServer } from 'node:net'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { GATEWAY_PORT } from '../../contract/gateway.ts'
import { Failure } from '../core/failure.ts'

/** Listens briefly on the port. Throws a `Failure` (exit 5) when that fails. Port 0 is always free. */
export function assertPortFree(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const isInUse = error.code === 'EADDRINUSE'
      const what = isInUse ? `port ${port} is in use` : `cannot listen on port ${port}`
      const next = `find its owner (ss -ltnp sport = :${port}), or use another port: tappass up --port ${port === GATEWAY_PORT ? GATEWAY_PORT + 1 : GATEWAY_PORT}`
      reject(new Failure({ what, where: `${host}:${port}`, why: error.message, next }, EXIT_CODE.refused, error))
    })
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve()))
  })
}
