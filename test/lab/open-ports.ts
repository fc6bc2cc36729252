/** Which TCP ports of an address answer, tried one and all, or those that are named; a program, so that it can be run in another network namespace. */
import { connect } from 'node:net'

const [address = '', ...named] = process.argv.slice(2)
const ports = named.length > 0 ? named.map(Number) : Array.from({ length: 65_535 }, (_, index) => index + 1)
const atOnce = 512

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 2_000 })
    const end = (answer: boolean) => () => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false))
  })

const open: number[] = []
const worker = async (): Promise<void> => {
  for (let port = ports.pop(); port !== undefined; port = ports.pop()) if (await isOpen(port)) open.push(port)
}
await Promise.all(Array.from({ length: atOnce }, worker))
process.stdout.write(JSON.stringify(open.toSorted((a, b) => a - b)))
