/** What answers on addresses that others reach: each port with its program or container, and which ports are those of the SSH server. */
import { HOST_PATH } from '../../contract/path.ts'
import type { Fact } from '../core/host.ts'
import { forwardedPorts, type Port, publishedPorts } from './forwarded-port.ts'

/** A port where others are answered; `program` is empty where it can't be seen. Of a raw socket it is the number of the protocol. */
export type ExposedPort = Readonly<{ protocol: Port['protocol'] | 'raw'; port: number; program: string }>

/** `ssh`: where operators come in, ascending. `others`: all else, each port once. */
export type ExposedPorts = Readonly<{ ssh: readonly number[]; others: readonly ExposedPort[] }>

/**
 * With a socket unit, systemd holds the port of SSH until the first login. What sshd is told to open counts from its next start; the connection of
 * this very run, which sudo hides, is found at one of the processes above. What is led on to containers has no listener, and is asked for until we
 * have rules.
 */
const SCRIPT = String.raw`PATH=$PATH:/usr/sbin
ss -Hlntuwp 2>/dev/null
echo '=== sockets'
systemctl show --property=ActiveState,Listen ssh.socket sshd.socket 2>/dev/null
echo '=== configured'
sshd -T 2>/dev/null | sed -n 's/^port //p'
echo '=== connection'
pid=$$ connection=$SSH_CONNECTION
while [ -z "$connection" ] && [ "$pid" -gt 1 ]; do
  connection=$(tr '\0' '\n' 2>/dev/null <"/proc/$pid/environ" | sed -n 's/^SSH_CONNECTION=//p')
  read -r row <"/proc/$pid/stat" || break
  row=${'$'}{row##*) } row=${'$'}{row#* } pid=${'$'}{row%% *}
done 2>/dev/null
echo "${'$'}{connection##* }"
[ ! -e ${HOST_PATH.packetFilter} ] || exit 0
echo '=== published'
! systemctl is-active --quiet docker.service snap.docker.dockerd.service || timeout 10 docker ps --format '{{.Names}} {{.Ports}}' 2>/dev/null
echo '=== forwarded'
{ nft list ruleset; iptables-save -t nat; ip6tables-save -t nat; } 2>/dev/null | grep -E 'dnat|DNAT'
exit 0`

const SSH_PROGRAMS = ['sshd', 'sshd-session', 'dropbear']

/** Where a server without any visible SSH server has it: the port that the protocol was given. */
const SSH_PORT = 22

const PORT_MAX = 65_535

/** From here on the kernel chooses the ports of clients (ip_local_port_range): a program's UDP socket there waits for an answer. */
const EPHEMERAL_MIN = 32_768

/** Those that serve there all the same. A socket without a program is the kernel's own: WireGuard. */
const SERVERS_ABOVE = ['', 'tailscaled', 'mosh-server', 'wireguard-go', 'boringtun', 'boringtun-cli', 'nebula']

/** Clients that listen: of DHCP in both families, and those that ask their neighbours for names (mDNS, LLMNR). Answers to them are let in, or not needed. */
const CLIENT_PORTS = [68, 546, 5353, 5355]

/** ICMP of both families is let in; with the last one programs only send. */
const RAW_HARMLESS = [1, 58, 255]

function isLoopback(address: string): boolean {
  return /^(127\.|\[?::1\]?$|\[?::ffff:127\.)/i.test(address) || address.endsWith('%lo')
}

function isClient({ protocol, port, program }: ExposedPort): boolean {
  if (protocol === 'raw') return RAW_HARMLESS.includes(port)
  if (protocol === 'tcp') return false
  return CLIENT_PORTS.includes(port) || (port >= EPHEMERAL_MIN && !SERVERS_ABOVE.includes(program))
}

/** A row of ss: protocol, state, two queues, local address and port, the peer's, the processes. */
function parseRow(row: string): ExposedPort | undefined {
  const [protocol, , , , local = '', , ...users] = row.trim().split(/\s+/)
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'raw') return undefined
  const [address, port] = [local.slice(0, local.lastIndexOf(':')), Number(local.slice(local.lastIndexOf(':') + 1))]
  if (isLoopback(address) || !Number.isInteger(port)) return undefined
  const exposed: ExposedPort = { protocol, port, program: /"([^"]*)"/.exec(users.join(' '))?.[1] ?? '' }
  return isClient(exposed) ? undefined : exposed
}

/** The ports of socket units that are active: `Listen=0.0.0.0:22 (Stream)`. */
function socketPorts(text: string): readonly number[] {
  return text
    .split('\n\n')
    .filter((block) => /^ActiveState=active$/m.test(block))
    .flatMap((block) => [...block.matchAll(/^Listen=.*:(\d+) \(Stream\)$/gm)].map(([, port]) => Number(port)))
}

function numbersOf(text: string | undefined): readonly number[] {
  return [...(text ?? '').matchAll(/^\d+$/gm)]
    .map(([port]) => Number(port))
    .filter((port) => port > 0 && port <= PORT_MAX)
}

const isSame = (one: ExposedPort, other: ExposedPort) => one.protocol === other.protocol && one.port === other.port

/** The ports that others reach, before any packet filter. */
export const exposedPortsFact: Fact<ExposedPorts> = {
  query: { argv: ['sh', '-c', SCRIPT], effect: 'read', isLong: true },
  parse: ({ stdout }) => {
    const [listing = '', ...rest] = stdout.split(/^=== /m)
    const part = new Map(rest.map((each) => [each.slice(0, each.indexOf('\n')), each.slice(each.indexOf('\n') + 1)]))
    const listening = listing.split('\n').flatMap((row) => parseRow(row) ?? [])
    const isSsh = ({ protocol, program }: ExposedPort) => protocol === 'tcp' && SSH_PROGRAMS.includes(program)
    const ssh = new Set([
      ...listening.filter(isSsh).map(({ port }) => port),
      ...socketPorts(part.get('sockets') ?? ''),
      ...numbersOf(part.get('configured')),
      ...numbersOf(part.get('connection')),
    ])
    if (ssh.size === 0) ssh.add(SSH_PORT)
    // A container is named by its name, not by the proxy in front of it.
    const others = [
      ...publishedPorts(part.get('published') ?? ''),
      ...listening,
      ...forwardedPorts(part.get('forwarded') ?? ''),
    ].filter(({ protocol, port }) => protocol !== 'tcp' || !ssh.has(port))
    return {
      ssh: [...ssh].toSorted((a, b) => a - b),
      others: others.filter((each, index) => others.findIndex((other) => isSame(other, each)) === index),
    }
  },
  // What listens changes by itself; the rules of a plan say which ports of SSH they were made for.
  planned: () => undefined,
}
