/** The network of the host: what listens, what lets packets in, and whether names and ways out are there. */
import { GATEWAY_PORT } from '../../contract/gateway.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { isPrivateHost } from '../../contract/private-network.ts'
import { fail, none, ok, skip, type Topic, warn } from '../diagnosis/check.ts'

/** Our table of nftables, as `firewall/loaded-filter.ts` has it. */
const FILTER_TABLE = 'tappass'

const INTERNAL = [5432, 6379, GATEWAY_PORT, 2019, 8181]

const PROBE = String.raw`
ss -Hltnp | while read -r _ _ _ local _ users; do
  case $local in 127.* | '[::1]'* | '[::ffff:127.'*) continue ;; esac
  program=; case $users in *'"'*) program=${'$'}{users#*'"'} program=${'$'}{program%%'"'*} ;; esac
  echo "open ${'$'}{local##*:} ${'$'}{program:-unknown}"
done | sort -u
ip -4 route show default | sed -n '1s/^/route4 /p'; ip -6 route show default | sed -n '1s/^/route6 /p'
grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf && echo firewall ufw
systemctl is-active --quiet firewalld.service && echo firewall firewalld
if nft list table inet ${FILTER_TABLE} >/dev/null; then echo firewall ${FILTER_TABLE}; elif nft list ruleset | grep -qE 'hook input.*policy drop'; then echo firewall nftables; fi
[ ! -d ${HOST_PATH.guardFolder}/pending ] || echo guard-pending yes
[ ! -d ${HOST_PATH.outboundFolder} ] || { echo outbound yes; sed 's/^/unresolved /' ${HOST_PATH.outboundFolder}/unresolved; }
sed -n 's/^nameserver /resolver /p' /etc/resolv.conf
name=$(sed -n 's|^TAPPASS_UPSTREAM_URL=[a-z]*://\([^/:]*\).*|\1|p' ${HOST_PATH.gatewayEnvironment}); name=${'$'}{name:-api.openai.com}
grep -qs '^TAPPASS_UPSTREAM_PROXY=' ${HOST_PATH.gatewayEnvironment} && echo proxied yes
echo "upstream $name"
timeout 5 getent ahosts "$name" >/dev/null && echo upstream-known yes
timeout 5 sh -c 'sed -n "s/^1$/on/p" /proc/sys/net/ipv4/tcp_syncookies' | sed 's/^/syncookies /'
echo "listen-queue $(cat /proc/sys/net/core/somaxconn)"
echo "overflows $(sed -n 's/^TcpExt: \([0-9].*\)/\1/p' /proc/net/netstat | cut -d ' ' -f 20)"
for path in /sys/class/net/*; do case ${'$'}{path##*/} in lo | docker* | veth* | br-*) ;; *) [ ! -e "$path/device" ] || echo "link ${'$'}{path##*/} $(cat "$path/operstate") $(cat "$path/mtu")" ;; esac; done`

/** The network. */
export const network: Topic = {
  name: 'network',
  probe: PROBE,
  checks: [
    {
      id: 'network.internal',
      what: 'databases and the gateway listen on this host only',
      isInstalled: true,
      judge: ({ probe }) =>
        none(
          probe.all('open').filter((row) => INTERNAL.includes(Number(row.split(' ')[0]))),
          (rows) => fail(`open to others: ${rows}`, 'ss -ltnp   (on the host); then tappass bootstrap'),
        ),
    },
    {
      id: 'network.open',
      what: 'nothing listens but SSH and the ingress',
      judge: ({ probe, spec }) => {
        if (probe.all('firewall').includes(FILTER_TABLE)) return ok('our packet filter closes what no setting lets in')
        const ports = [
          ...probe.all('sshd-port').map(Number),
          22,
          ...(spec.ingress === 'none' ? [] : [spec.ingress.http, spec.ingress.https]),
          ...INTERNAL,
        ]
        return none(
          probe.all('open').filter((row) => !ports.includes(Number(row.split(' ')[0]))),
          (rows) => warn(`open to others, too: ${rows}`, 'bind it to 127.0.0.1, or close it in the firewall'),
        )
      },
    },
    {
      id: 'network.firewall',
      what: 'a firewall is active',
      judge: ({ probe }) =>
        probe.all('firewall').length > 0
          ? ok(probe.all('firewall').join(', '))
          : warn(
              'neither ufw nor firewalld nor nftables drops packets on this host',
              'tappass bootstrap, unless the setting firewall is none for a firewall of the cloud',
            ),
    },
    {
      id: 'network.guard',
      what: 'no change waits for its confirmation',
      judge: ({ probe }) =>
        probe.one('guard-pending') === ''
          ? ok()
          : warn(
              'a run ended before its change was confirmed, and the host has not put it back yet',
              'journalctl -t tappass-guard   (on the host); tappass bootstrap puts it back',
            ),
    },
    {
      id: 'network.outbound',
      what: 'the names that the packet filter lets out have addresses',
      judge: ({ probe }) => {
        if (probe.one('outbound') === '') return ok('what goes out is not closed')
        return none(probe.all('unresolved'), (names) =>
          warn(
            `without an address, or with older ones: ${names}`,
            'journalctl -u tappass-outbound   (on the host), and firewall.outbound in host.yaml',
          ),
        )
      },
    },
    {
      id: 'network.route',
      what: 'it has a way out',
      judge: ({ probe }) =>
        probe.one('route4') === '' && probe.one('route6') === ''
          ? fail('there is no default route', 'ip route; ip -6 route   (on the host)')
          : ok(),
    },
    {
      id: 'network.resolver',
      what: 'it has a name server',
      judge: ({ probe }) =>
        probe.all('resolver').length > 0
          ? ok(probe.all('resolver').join(', '))
          : fail('/etc/resolv.conf names none', 'resolvectl status   (on the host)'),
    },
    {
      id: 'network.upstream',
      what: 'the name of the model server is known',
      judge: ({ probe }) => {
        if (probe.one('proxied') === 'yes') return skip('calls go through a proxy, which resolves it')
        return probe.one('upstream-known') === 'yes'
          ? ok(probe.one('upstream'))
          : fail(
              `${probe.one('upstream')} does not resolve`,
              `getent ahosts ${probe.one('upstream')}   (on the host), and gateway.upstream in host.yaml`,
            )
      },
    },
    {
      id: 'network.syncookies',
      what: 'a flood of connections is survived',
      judge: ({ probe }) =>
        probe.one('syncookies') === ''
          ? warn('net.ipv4.tcp_syncookies is 0', 'sudo sysctl -w net.ipv4.tcp_syncookies=1   (on the host)')
          : ok(),
    },
    {
      id: 'network.queue',
      what: 'bursts of connections fit into the queue',
      judge: ({ probe }) =>
        probe.number('listen-queue') < 1024
          ? warn(
              `net.core.somaxconn is ${probe.one('listen-queue')}`,
              'sudo sysctl -w net.core.somaxconn=4096   (on the host)',
            )
          : ok(),
    },
    {
      id: 'network.link',
      what: 'its network cards are up',
      judge: ({ probe }) =>
        none(
          probe
            .all('link')
            .filter((row) => row.split(' ')[1] === 'down')
            .map((row) => row.split(' ')[0] ?? ''),
          (names) => warn(`down: ${names}`, 'ip link   (on the host)'),
        ),
    },
    {
      id: 'network.mtu',
      what: 'packets of usual size get through',
      judge: ({ probe }) =>
        none(
          probe
            .all('link')
            .filter((row) => Number(row.split(' ')[2]) < 1280)
            .map((row) => row.replace(/ \w+ /, ' ')),
          (rows) => warn(`an MTU below 1280: ${rows}; IPv6 stops working`, 'ip link   (on the host)'),
        ),
    },
    {
      id: 'network.clear-upstream',
      what: 'keys and prompts travel encrypted',
      isInstalled: true,
      judge: ({ spec }) => {
        const address = spec.gateway.upstream
        if (address === undefined || !address.startsWith('http:')) return ok()
        return isPrivateHost(new URL(address).hostname)
          ? ok('in a private network')
          : warn(`${address} is plain http`, 'gateway.upstream with https in host.yaml')
      },
    },
  ],
}
