/** What everything else stands on: prerequisites from apt, accounts, folders, and what the deploy user may do. */
import { parsePins } from '../artifacts/pin.ts'
import { render } from '../core/template.ts'
import { type AccountOptions, account } from '../resources/account.ts'
import { aptPackage } from '../resources/apt-package.ts'
import { directory } from '../resources/directory.ts'
import { file } from '../resources/file.ts'
import type { Role } from '../spec/role.ts'

/** curl and certificates are for downloads, openssl makes the token key. What Node needs beyond a bare server is said by versions.yaml. */
const PREREQUISITES = ['ca-certificates', 'curl', 'openssl', 'sudo'] as const

const ROOT = { owner: 'root', group: 'root' } as const

/** The units that a deploy user may look at and restart. */
function unitsOf(instances: number): readonly string[] {
  return [
    ...Array.from({ length: instances }, (_, index) => `tappass@${index + 1}.service`),
    'tappass-postgres.service',
    'tappass-redis.service',
    'tappass-caddy.service',
  ]
}

/** Groups whose members are root, at once or by way of sudo (`admin`: of older Ubuntu, still in its sudoers). The deploy user's rights are those of its own sudoers file. */
const GROUPS_OF_ROOT: NonNullable<AccountOptions['groupsForbidden']> = {
  docker: { because: 'who may start containers is root' },
  lxd: { because: 'who may start containers is root' },
  sudo: { because: 'it may run every command as root', isSudo: true },
  admin: { because: 'it may run every command as root', isSudo: true },
}

/** Nothing here holds a secret. */
export const foundation: Role = (spec, text) => {
  const { images, node } = parsePins(text('versions.yaml'))
  const runtimeNeeds = node[0]?.needs === undefined ? [] : [node[0].needs]
  const sudoers = render(text('templates/sudoers.hbs'), {
    deployUser: spec.deployUser,
    units: unitsOf(spec.instances),
  })
  const temporary = render(text('templates/tmpfiles.conf.hbs'), {
    postgresUid: images.postgres.uid,
    redisUid: images.redis.uid,
  })
  return [
    aptPackage({ id: 'prerequisites', names: [...PREREQUISITES, ...runtimeNeeds] }),
    account({ name: 'tappass', isSystem: true }),
    account({ name: 'tappass-caddy', isSystem: true }),
    account({ name: spec.deployUser, isSystem: false, shell: '/bin/bash', groupsForbidden: GROUPS_OF_ROOT }),
    directory({ path: '/etc/tappass', ...ROOT, mode: '0755' }),
    directory({ path: '/opt/tappass', ...ROOT, mode: '0755' }),
    directory({ path: '/var/lib/tappass', ...ROOT, mode: '0755' }),
    file({ path: '/etc/tmpfiles.d/tappass.conf', content: temporary, ...ROOT, mode: '0644' }),
    directory({ path: '/run/tappass', ...ROOT, mode: '0755' }),
    directory({ path: '/run/tappass/revision', ...ROOT, mode: '0755' }),
    file({
      path: '/etc/sudoers.d/tappass',
      content: sudoers,
      ...ROOT,
      mode: '0440',
      check: (candidate) => ['visudo', '-cf', candidate],
    }),
  ]
}
