/** Where the kernel listens, whichever unit opened the socket and whichever processes hold it. */
import type { Fact } from '../core/host.ts'

/** The local address as /proc/net/tcp writes it: the bytes of the address in the order of the processor (little-endian on all supported ones), then the port. */
function kernelAddress(host: string, port: number): string {
  const hex = (number: number, digits: number) => number.toString(16).toUpperCase().padStart(digits, '0')
  const address = host
    .split('.')
    .toReversed()
    .map((part) => hex(Number(part), 2))
  return `${address.join('')}:${hex(port, 4)}`
}

/** Whether something listens at an IPv4 address and port. 0A is TCP_LISTEN. */
export function listeningFact(host: string, port: number): Fact<boolean> {
  const listener = ` ${kernelAddress(host, port)} 00000000:0000 0A `
  return {
    query: { argv: ['grep', '-cF', '--', listener, '/proc/net/tcp'], effect: 'read' },
    parse: ({ stdout }) => Number(stdout) > 0,
  }
}
