/**
 * A line with latency in front of hosts: `node bench/delay-relay.ts MS ADDRESS…` listens on a loopback port for each address (its port 22) and
 * hands on what it gets, either way, half of the round trip later. Prints the ports as JSON. The kernel's netem would need a module.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

const [latencyMs = '0', ...addresses] = process.argv.slice(2)
const halfMs = Number(latencyMs) / 2

/** In order: timers of one length fire in the order in which they were set. */
function delay(from: Socket, to: Socket): void {
  from.on('data', (chunk) => setTimeout(() => to.write(chunk), halfMs))
  from.on('end', () => setTimeout(() => to.end(), halfMs))
  from.on('error', () => to.destroy())
}

const ports: number[] = []
for (const address of addresses) {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    // A connection takes a round trip until it stands: what the client sends at once arrives half of one after that.
    client.pause()
    setTimeout(() => {
      const host = connect({ host: address, port: 22, noDelay: true, allowHalfOpen: true }, () => client.resume())
      delay(client, host)
      delay(host, client)
    }, halfMs)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  ports.push((server.address() as AddressInfo).port)
}
console.log(JSON.stringify(ports))
