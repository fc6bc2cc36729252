/** What answers on addresses that others reach: each port with its program, and which ports are those of the SSH server. */
import type { Fact } from '../core/host.ts'

/** A port on which a program waits for others; `program` is empty where it can't be seen. */
export type ExposedPort = Readonly<{ protocol: 'tcp' | 'udp'; port: number; program: string }>

/** `ssh`: the ports of the SSH server, ascending. `others`: all else, each port once. */
export type ExposedPorts = Readonly<{ ssh: readonly number[]; others: readonly ExposedPort[] }>

/** With a socket unit, systemd holds the port until the first login, and the unit says which one it is. */
const SCRIPT = `ss -Hlntup 2>/dev/null
echo '=== ssh'
systemctl show --property=ActiveState,Listen ssh.socket sshd.socket 2>/dev/null
exit 0`

const SSH_PROGRAMS = ['sshd', 'sshd-session', 'dropbear']

/** Where a server without any visible SSH server has it: the port that the protocol was given. */
const SSH_PORT = 22

/** From here on the kernel chooses the ports of clients (ip_local_port_range): a UDP socket there waits for an answer. */
const EPHEMERAL_MIN = 32_768

/** Clients that listen: of DHCP in both families, and those that ask their neighbours for names (mDNS, LLMNR). Answers to them are let in, or not needed. */
const CLIENT_PORTS = [68, 546, 5353, 5355]

function isLoopback(address: string): boolean {
  return /^(127\.|\[?::1\]?$|\[?::ffff:127\.)/i.test(address) || address.endsWith('%lo')
}

/** A row of ss: protocol, state, two queues, local address and port, the peer's, the processes. */
function parseRow(row: string): ExposedPort | undefined {
  const [protocol, , , , local = '', , ...users] = row.trim().split(/\s+/)
  if (protocol !== 'tcp' && protocol !== 'udp') return undefined
  const [address, port] = [local.slice(0, local.lastIndexOf(':')), Number(local.slice(local.lastIndexOf(':') + 1))]
  if (isLoopback(address) || !Number.isInteger(port)) return undefined
  if (protocol === 'udp' && (port >= EPHEMERAL_MIN || CLIENT_PORTS.includes(port))) return undefined
  return { protocol, port, program: /"([^"]*)"/.exec(users.join(' '))?.[1] ?? '' }
}

/** The ports of socket units that are active: `Listen=0.0.0.0:22 (Stream)`. */
function socketPorts(text: string): readonly number[] {
  return text
    .split('\n\n')
    .filter((block) => /^ActiveState=active$/m.test(block))
    .flatMap((block) => [...block.matchAll(/^Listen=.*:(\d+) \(Stream\)$/gm)].map(([, port]) => Number(port)))
}

/** The ports that others reach, before any packet filter. */
export const exposedPortsFact: Fact<ExposedPorts> = {
  query: { argv: ['sh', '-c', SCRIPT], effect: 'read' },
  parse: ({ stdout }) => {
    const [listing = '', sockets = ''] = stdout.split('=== ssh\n')
    const ports = listing.split('\n').flatMap((row) => parseRow(row) ?? [])
    const bySocket = socketPorts(sockets)
    const isSsh = ({ protocol, port, program }: ExposedPort) =>
      protocol === 'tcp' && (SSH_PROGRAMS.includes(program) || bySocket.includes(port))
    const ssh = [...new Set([...ports.filter(isSsh).map(({ port }) => port), ...bySocket])].toSorted((a, b) => a - b)
    const others = ports.filter((each) => !isSsh(each))
    return {
      ssh: ssh.length === 0 ? [SSH_PORT] : ssh,
      others: others.filter(
        (each, index) =>
          others.findIndex(({ protocol, port }) => protocol === each.protocol && port === each.port) === index,
      ),
    }
  },
}
