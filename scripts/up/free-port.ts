/** Whether a port can be listened on, asked before anything is started. */
import { createServer } from 'node:net'
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'

/** Listens for a moment. Throws a Failure (exit 5) that says who or what stands in the way. Port 0 is always free. */
export function requireFreePort(port: number, host: string): Promise<void> {
  return new Promise((done, refuse) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE'
      const what = isTaken ? `port ${port} is taken` : `port ${port} can not be used`
      const next = `stop what listens there (ss -ltnp), or take another: tappass up --port ${port === 9620 ? 9621 : 9620}`
      refuse(new Failure({ what, where: `${host}:${port}`, why: error.message, next }, EXIT_CODE.refused, error))
    })
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => done()))
  })
}
