/** The packet filter. It comes after the ingress, so that nothing is closed that serves still. */
import { UNIT } from '../../contract/unit.ts'
import { filterOptions } from '../firewall/filter-options.ts'
import { aptPackage } from '../resources/apt-package.ts'
import { packetFilter } from '../resources/packet-filter.ts'
import { ingressPorts } from '../spec/ingress-spec.ts'
import type { Role } from '../spec/role.ts'

/** The role `firewall`. */
export const firewall: Role = ({ firewall: setting, ingress, bundle }, text) => {
  const texts = { template: text('templates/nftables/tappass.nft.hbs'), unit: text(`units/${UNIT.firewall}`) }
  const options = filterOptions(setting, ingressPorts(ingress), texts)
  if (options === undefined) return [packetFilter(undefined)]
  return [
    aptPackage({
      id: 'nftables',
      names: ['nftables'],
      source: bundle?.packages['nftables'],
      waiting: text('scripts/first-boot.sh'),
    }),
    packetFilter(options),
  ]
}
