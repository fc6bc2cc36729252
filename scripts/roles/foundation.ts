/** The base of a host: prerequisites from apt, accounts, folders, and the privileges of the deploy user. */

import { HOST_PATH } from '../../contract/path.ts'
import { ACCOUNT, CONNECTORS, connectors, gatewayInstances, UNIT } from '../../contract/unit.ts'
import { parsePins } from '../artifacts/pin.ts'
import type { Resource } from '../core/resource.ts'
import { render } from '../core/template.ts'
import { absentFile } from '../resources/absent-file.ts'
import { type AccountOptions, account } from '../resources/account.ts'
import { aptPackage } from '../resources/apt-package.ts'
import { authorizedKeys } from '../resources/authorized-keys.ts'
import { bundlePlatform } from '../resources/bundle-platform.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import { memoryBudget } from '../resources/memory-budget.ts'
import { outboundOpening } from '../resources/outbound-names.ts'
import { pendingGuard } from '../resources/pending-guard.ts'
import { sudoRights } from '../resources/sudo-rights.ts'
import { unit } from '../resources/unit.ts'
import { outboundList } from '../spec/filter-setting.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { isPrepared } from '../spec/ingress-spec.ts'
import { memoryLimits, memorySum } from '../spec/memory-limit.ts'
import { memoryRemedy } from '../spec/memory-remedy.ts'
import { hasOpa, opaServerOf } from '../spec/policy-spec.ts'
import { aptProxyText, hasProxy } from '../spec/proxy.ts'
import type { Role } from '../spec/role.ts'
import { isExternal } from '../storage/storage-spec.ts'

/** curl and certificates are for downloads, openssl generates the token key. versions.yaml lists what Node needs in addition. */
const PREREQUISITES = ['ca-certificates', 'curl', 'openssl', 'sudo'] as const

/** Read by every run of apt on the host, also by updates in the night. */
const APT_PROXY = '/etc/apt/apt.conf.d/80tappass-proxy'

const ROOT = { owner: 'root', group: 'root' } as const

/** Returns the units that the deploy user may inspect and restart. */
function unitsOf(spec: HostSpec, text: (path: string) => string): readonly string[] {
  const { instances, ingress, identity } = spec
  const opa = opaServerOf(spec, text)
  const identities = identity === undefined ? [] : [UNIT.spireServer, UNIT.spireAgent, UNIT.spiffeHelper]
  return [
    ...[...gatewayInstances(instances), ...containerUnits(spec), ...(opa ? [opa.unit] : []), ...identities],
    ...(isPrepared(ingress, 'caddy') ? [UNIT.caddy] : []),
    ...(isPrepared(ingress, 'tunnel') ? connectors(CONNECTORS) : []),
  ]
}

/** Those of storage that is ours. */
function containerUnits(spec: HostSpec): readonly string[] {
  return [...(isExternal(spec, 'database') ? [] : [UNIT.postgres]), ...(isExternal(spec, 'redis') ? [] : [UNIT.redis])]
}

/** Groups with a rule for every command. `admin` is of older Ubuntu, and still in its sudoers. */
const SUDO_GROUPS = {
  sudo: { reason: 'members may run every command as root', isSudo: true },
  admin: { reason: 'members may run every command as root', isSudo: true },
} as const

/** Groups whose members are or can become root. The deploy user has the privileges of its own sudoers file only. */
const ROOT_EQUIVALENT_GROUPS: NonNullable<AccountOptions['groupsForbidden']> = {
  docker: { reason: 'members can start containers, which makes them root' },
  lxd: { reason: 'members can start containers, which makes them root' },
  ...SUDO_GROUPS,
}

/** Its rights follow later, with the other files. */
function deployUser({ name, keys }: HostSpec['deployUser']): readonly Resource[] {
  return [
    account({ name, isSystem: false, shell: '/bin/bash', groupsForbidden: ROOT_EQUIVALENT_GROUPS }),
    sudoRights({ name, groups: Object.keys(SUDO_GROUPS) }),
    authorizedKeys({ name, keys }),
  ]
}

/**
 * Ubuntu's servers have needrestart, which after an update of a library restarts all services that use it at once, also in the night:
 * both instances would drain together, and the database with them. The folder is there for the case that it is installed later.
 */
const NEEDRESTART = `# TapPass restarts its services itself, one after the other: sudo systemctl restart tappass@1, then tappass@2 …
$nrconf{override_rc}{qr(^tappass)} = 0;
`

function temporaryFiles(spec: HostSpec, text: (path: string) => string): string {
  const { images } = parsePins(text('versions.yaml'))
  return render(text('templates/tmpfiles.conf.hbs'), {
    postgresUid: images.postgres.uid,
    redisUid: images.redis.uid,
    hasOpa: hasOpa(spec),
    hasPostgres: !isExternal(spec, 'database'),
    hasRedis: !isExternal(spec, 'redis'),
  })
}

/** The role `foundation`. Nothing here contains a secret. */
export const foundation: Role = (spec, text) => {
  const { node } = parsePins(text('versions.yaml'))
  const runtimeNeeds = node[0]?.needs === undefined ? [] : [node[0].needs]
  const outbound = outboundList(spec, text)
  const sudoers = render(text('templates/sudoers.hbs'), {
    deployUser: spec.deployUser.name,
    units: unitsOf(spec, text),
  })
  return [
    ...(spec.bundle === undefined ? [] : [bundlePlatform(spec.bundle.platform)]),
    memoryBudget({
      sum: (traits) => memorySum(memoryLimits(spec, traits.memoryMegabytes), spec.instances),
      remedy: ({ memoryMegabytes }) => memoryRemedy(spec, memoryMegabytes, spec.preflight.memoryMegabytesMin),
    }),
    // Before whatever is recorded as made by us: the record is in it.
    directory({ path: HOST_PATH.configFolder, ...ROOT, mode: '0755' }),
    // Before the first package.
    hasProxy(spec.proxy)
      ? file({ path: APT_PROXY, content: aptProxyText(spec.proxy), ...ROOT, mode: '0644' })
      : absentFile({ path: APT_PROXY, reason: 'no proxy is set' }),
    aptPackage({
      id: 'prerequisites',
      names: [...PREREQUISITES, ...runtimeNeeds],
      source: spec.bundle?.packages['prerequisites'],
      waiting: text('scripts/first-boot.sh'),
    }),
    account({ name: ACCOUNT.gateway, isSystem: true }),
    ...(isPrepared(spec.ingress, 'caddy') ? [account({ name: ACCOUNT.caddy, isSystem: true })] : []),
    ...deployUser(spec.deployUser),
    directory({ path: HOST_PATH.programFolder, ...ROOT, mode: '0755' }),
    directory({ path: HOST_PATH.stateFolder, ...ROOT, mode: '0755' }),
    file({ path: '/etc/tmpfiles.d/tappass.conf', content: temporaryFiles(spec, text), ...ROOT, mode: '0644' }),
    directory({ path: '/etc/needrestart', ...ROOT, mode: '0755' }),
    directory({ path: '/etc/needrestart/conf.d', ...ROOT, mode: '0755' }),
    file({ path: '/etc/needrestart/conf.d/tappass.conf', content: NEEDRESTART, ...ROOT, mode: '0644' }),
    directory({ path: HOST_PATH.runtimeFolder, ...ROOT, mode: '0755' }),
    directory({ path: HOST_PATH.revisionFolder, ...ROOT, mode: '0755' }),
    file({
      path: '/etc/sudoers.d/tappass',
      content: sudoers,
      ...ROOT,
      mode: '0440',
      check: (candidate) => ['visudo', '-cf', candidate],
    }),
    ...(outbound === undefined ? [] : [outboundOpening({ rows: outbound })]),
    // Before any change that is guarded.
    pendingGuard(),
    unit({ name: UNIT.guard, content: text(`units/${UNIT.guard}`), isRunning: false }),
  ]
}
