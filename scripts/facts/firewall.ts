/** Facts about the firewalls that a host's operator manages with a tool: ufw and firewalld. */
import type { Fact } from '../core/host.ts'

/**
 * Undefined where a tool is absent or not active. `ports`: those of our rule in ufw, by family, as `80,443/tcp` and `443/udp`; `hasIpv6`: it has rules for
 * IPv6. `isAllowed`: the default zone of firewalld lets our service in.
 */
export type Firewalls = Readonly<{
  ufw: Readonly<{ hasIpv6: boolean; ports: Readonly<{ ipv4: readonly string[]; ipv6: readonly string[] }> }> | undefined
  firewalld: Readonly<{ isAllowed: boolean }> | undefined
}>

/** The name of our application profile in ufw, and of our service in firewalld. */
export const UFW_PROFILE = 'TapPass'
export const FIREWALLD_SERVICE = 'tappass'

/** Reads the files of the tools: asking ufw itself takes a third of a second. */
const SCRIPT = String.raw`if [ -x /usr/sbin/ufw ] && grep -qs '^ENABLED=yes' /etc/ufw/ufw.conf; then
  echo ufw
  grep -qs '^IPV6=yes' /etc/default/ufw && echo ufw-ipv6
  for family in '' 6; do
    sed -n "s/^### tuple ### allow \([a-z]*\) \([0-9,]*\) .* ${UFW_PROFILE} - in.*/ufw-rule$family \2\/\1/p" "/etc/ufw/user$family.rules" 2>/dev/null
  done
fi
if [ -x /usr/sbin/firewalld ] && systemctl is-active --quiet firewalld.service; then
  echo firewalld
  zone=$(sed -n 's/^DefaultZone=//p' /etc/firewalld/firewalld.conf)
  grep -qs '<service name="${FIREWALLD_SERVICE}"/>' "/etc/firewalld/zones/${'$'}{zone:-public}.xml" && echo firewalld-rule
fi
exit 0`

/** Which firewall tools are active, and what they have of ours. */
export const firewallsFact: Fact<Firewalls> = {
  query: { argv: ['sh', '-c', SCRIPT], effect: 'read' },
  parse: ({ stdout }) => {
    const rows = new Set(stdout.split('\n'))
    const rulesOf = (name: string) =>
      stdout.split('\n').flatMap((row) => (row.startsWith(`${name} `) ? [row.slice(name.length + 1)] : []))
    const ports = { ipv4: rulesOf('ufw-rule'), ipv6: rulesOf('ufw-rule6') }
    return {
      ufw: rows.has('ufw') ? { hasIpv6: rows.has('ufw-ipv6'), ports } : undefined,
      firewalld: rows.has('firewalld') ? { isAllowed: rows.has('firewalld-rule') } : undefined,
    }
  },
}
