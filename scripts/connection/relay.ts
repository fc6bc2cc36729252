/** A connection from a host to somewhere else, over which the controller speaks: by bash alone, so that a bare host can do it, and without root. */
import type { Duplex, Readable } from 'node:stream'

/** For as long as somebody looks at a database. */
const SECONDS_MAX = 60

/** A plus sign says that the connection is there; from then on bytes go to and fro. The last one to end is the other end. */
const SCRIPT = `exec 3<>"/dev/tcp/$1/$2" && printf + && exec 4<&0 && { cat <&4 >&3 & } && cat <&3`

/** Returns the command that connects. */
export function relayArgv(host: string, port: number): readonly [string, ...string[]] {
  return ['timeout', String(SECONDS_MAX), 'bash', '-c', SCRIPT, 'bash', host, String(port)]
}

/** Of what bash says, the reason: "bash: connect: Connection refused" and a second line that names the device. */
function reasonIn(stderr: string): string {
  const [first = ''] = stderr.split('\n').filter((line) => line !== '')
  return first.replace(/^bash: (line \d+: )?(connect: )?/, '') || 'it did not connect'
}

/** Resolves with the stream once the other end is there. Rejects with the reason of the host, or when nobody answers in time. */
export function connected<Stream extends Duplex>(stream: Stream, stderr: Readable, timeoutMs: number): Promise<Stream> {
  return new Promise((resolve, reject) => {
    let output = ''
    stderr.on('data', (piece: Buffer) => {
      output += piece.toString('utf8')
    })
    const give = (error: Error) => {
      clearTimeout(timer)
      stream.destroy()
      reject(error)
    }
    const timer = setTimeout(() => give(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
    const onEnd = () => give(new Error(reasonIn(output)))
    stream.once('error', give)
    stream.once('close', onEnd)
    stream.once('readable', function onReadable() {
      const first = stream.read(1) as Buffer | null
      if (first === null) {
        stream.once('readable', onReadable)
        return
      }
      clearTimeout(timer)
      stream.off('close', onEnd)
      resolve(stream)
    })
  })
}
