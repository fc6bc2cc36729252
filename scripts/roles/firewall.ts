/** The packet filter, and what puts back changes that cut the operator off. */
import { UNIT } from '../../contract/unit.ts'
import { render } from '../core/template.ts'
import type { ExposedPort } from '../firewall/exposed-port.ts'
import { packetFilterRules } from '../firewall/filter-rule.ts'
import { toolCommands, toolRules } from '../firewall/firewall-spec.ts'
import { aptPackage } from '../resources/apt-package.ts'
import { packetFilter } from '../resources/packet-filter.ts'
import { pendingGuard } from '../resources/pending-guard.ts'
import { unit } from '../resources/unit.ts'
import { ingressPorts } from '../spec/ingress-spec.ts'
import type { Role } from '../spec/role.ts'

/** The role `firewall`. Whatever a run before left unconfirmed is put back first. */
export const firewall: Role = ({ firewall, ingress }, text) => {
  const guard = [pendingGuard(), unit({ name: UNIT.guard, content: text(`units/${UNIT.guard}`), isRunning: false })]
  if (firewall === 'none') return [...guard, packetFilter(undefined)]
  const template = text('templates/nftables/tappass.nft.hbs')
  const open = ingressPorts(ingress)
  const isAllowed = ({ protocol, port }: ExposedPort) =>
    (protocol === 'tcp' && open.includes(port)) ||
    firewall.allow.some((rule) => rule.protocol === protocol && rule.port === port)
  return [
    ...guard,
    aptPackage({ id: 'nftables', names: ['nftables'], waiting: text('scripts/first-boot.sh') }),
    packetFilter({
      content: (ssh) => render(template, packetFilterRules({ ssh, ingress: open }, firewall.allow)),
      unit: text(`units/${UNIT.firewall}`),
      isAllowed,
      commandsFor: (tool) => toolRules(firewall, open).others.flatMap((rule) => toolCommands(tool, rule)),
    }),
  ]
}
