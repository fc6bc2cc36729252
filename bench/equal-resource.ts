/** Fifty resources that our toolkit, pyinfra and Ansible bring about alike: what is measured is a run that finds them as they should be. */
import type { Resource } from '../scripts/core/resource.ts'
import { account } from '../scripts/resources/account.ts'
import { aptPackage } from '../scripts/resources/apt-package.ts'
import { directory } from '../scripts/resources/directory.ts'
import { file } from '../scripts/resources/file.ts'
import { unit } from '../scripts/resources/unit.ts'

/** One of them, in words of no tool. `content` may be the text of a unit. */
export type EqualResource =
  | Readonly<{ kind: 'directory'; path: string; mode: string }>
  | Readonly<{ kind: 'file'; path: string; mode: string; content: string }>
  | Readonly<{ kind: 'account'; name: string; home: string; shell: string }>
  | Readonly<{ kind: 'package'; name: string }>
  | Readonly<{ kind: 'unit'; name: string }>

const FOLDER = '/opt/bench'
const PACKAGES = ['ca-certificates', 'curl', 'iproute2', 'procps', 'sudo']

const UNIT_TEXT = `[Unit]
Description=Something that was done

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true

[Install]
WantedBy=multi-user.target
`

const several = <T>(count: number, make: (number: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, n) => make(n))

/** In the order in which they need each other. */
export const EQUAL_RESOURCES: readonly EqualResource[] = [
  ...PACKAGES.map((name) => ({ kind: 'package', name }) as const),
  ...several(
    6,
    (n) => ({ kind: 'account', name: `bench-${n}`, home: '/nonexistent', shell: '/usr/sbin/nologin' }) as const,
  ),
  ...several(10, (n) => ({ kind: 'directory', path: n === 0 ? FOLDER : `${FOLDER}/${n}`, mode: '0750' }) as const),
  ...several(19, (n) => {
    const path = `${FOLDER}/${(n % 9) + 1}/settings-${n}.conf`
    return { kind: 'file', path, mode: '0640', content: `number = ${n}\n${'a line of settings\n'.repeat(50)}` } as const
  }),
  ...several(5, (n) => {
    const path = `/etc/systemd/system/bench-${n}.service`
    return { kind: 'file', path, mode: '0644', content: UNIT_TEXT } as const
  }),
  ...several(5, (n) => ({ kind: 'unit', name: `bench-${n}.service` }) as const),
]

const ROOT = { owner: 'root', group: 'root' } as const

/** Ours. `waiting` is the text of `scripts/first-boot.sh`. */
export function ourResource(resource: EqualResource, waiting: string): Resource {
  switch (resource.kind) {
    case 'directory':
      return directory({ ...ROOT, path: resource.path, mode: resource.mode })
    case 'file':
      return file({ ...ROOT, path: resource.path, mode: resource.mode, content: resource.content })
    case 'account':
      return account({ name: resource.name, isSystem: true, home: resource.home, shell: resource.shell })
    case 'package':
      return aptPackage({ id: resource.name, names: [resource.name], waiting })
    case 'unit':
      return unit({ name: resource.name })
  }
}

/** Ansible's task. */
export function ansibleTask(resource: EqualResource): Readonly<Record<string, unknown>> {
  switch (resource.kind) {
    case 'directory':
      return { 'ansible.builtin.file': { ...ROOT, path: resource.path, mode: resource.mode, state: 'directory' } }
    case 'file':
      return {
        'ansible.builtin.copy': { ...ROOT, dest: resource.path, mode: resource.mode, content: resource.content },
      }
    case 'account': {
      const { name, home, shell } = resource
      return { 'ansible.builtin.user': { name, home, shell, system: true, create_home: false } }
    }
    case 'package':
      return { 'ansible.builtin.apt': { name: resource.name, state: 'present' } }
    case 'unit':
      return { 'ansible.builtin.systemd_service': { name: resource.name, state: 'started', enabled: true } }
  }
}
