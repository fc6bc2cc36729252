/**
 * Two tools of others that bring hosts to a wanted state: which version, how it is installed, how it is told of the equal resources, and how
 * its output says that it changed nothing. Nothing of them is part of this repository; pip brings them into a cache folder.
 */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ansibleTask, EQUAL_RESOURCES } from './equal-resource.ts'
import type { Installable } from './peer.ts'

/** The machine: its address, the key that root there accepts, and its own key. */
export type Machine = Readonly<{ address: string; key: string; knownHosts: string }>

/** A peer. `prepare` writes what it reads into the folder that it is started in; `unchanged` matches the end of a run that changed nothing. */
export type ConvergePeer = Installable &
  Readonly<{
    does: string
    prepare: (folder: string, machine: Machine) => void
    argv: (installed: string) => readonly string[]
    environment: Readonly<Record<string, string>>
    unchanged: RegExp
  }>

function fromPyPi(name: string, version: string): Pick<ConvergePeer, 'name' | 'version' | 'files' | 'install'> {
  const pip = ['install', '--quiet', '--disable-pip-version-check', `${name}==${version}`]
  return {
    ...{ name, version, files: {} },
    install: (folder) => [
      ['python3', '-m', 'venv', folder],
      [join(folder, 'bin/pip'), ...pip],
    ],
  }
}

const count = EQUAL_RESOURCES.length

const pyinfra: ConvergePeer = {
  ...fromPyPi('pyinfra', '3.10.0'),
  does: 'one operation a resource, over one connection, without asking (-y)',
  prepare: (folder, { address, key, knownHosts }) => {
    const settings = JSON.stringify({ ssh_user: 'root', ssh_key: key, ssh_known_hosts_file: knownHosts })
    writeFileSync(join(folder, 'inventory.py'), `hosts = [(${JSON.stringify(address)}, ${settings})]\n`)
    writeFileSync(join(folder, 'resources.json'), JSON.stringify(EQUAL_RESOURCES))
    copyFileSync(join(import.meta.dirname, 'converge-peers/pyinfra_deploy.py'), join(folder, 'deploy.py'))
  },
  argv: (installed) => [join(installed, 'bin/pyinfra'), '-y', 'inventory.py', 'deploy.py'],
  environment: {},
  // Columns: operations, with changes, with errors, without changes.
  unchanged: new RegExp(`Grand total\\s+${count}\\s+-\\s+-\\s+${count}\\s`),
}

/** Its connection stays open between two runs (ControlPersist), which ours and pyinfra's do not. */
const ansibleSettings = ({ knownHosts }: Machine): string => `[defaults]
inventory = inventory.ini
gathering = explicit
interpreter_python = /usr/bin/python3
[ssh_connection]
pipelining = True
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${knownHosts}
`

const ansible: ConvergePeer = {
  ...fromPyPi('ansible-core', '2.19.14'), // the newest for Python 3.11
  does: 'one task a resource, pipelining on, no facts gathered, connection kept open between runs (ControlPersist)',
  prepare: (folder, machine) => {
    const { address, key } = machine
    writeFileSync(join(folder, 'inventory.ini'), `${address} ansible_user=root ansible_ssh_private_key_file=${key}\n`)
    writeFileSync(join(folder, 'ansible.cfg'), ansibleSettings(machine))
    const play = { hosts: 'all', gather_facts: false, tasks: EQUAL_RESOURCES.map(ansibleTask) }
    writeFileSync(join(folder, 'playbook.json'), JSON.stringify([play])) // JSON is YAML
  },
  argv: (installed) => [join(installed, 'bin/ansible-playbook'), 'playbook.json'],
  environment: { ANSIBLE_CONFIG: 'ansible.cfg', LC_ALL: 'C.UTF-8' },
  unchanged: new RegExp(`ok=${count}\\s+changed=0\\s+unreachable=0\\s+failed=0`),
}

/** Both. */
export const convergePeers: readonly ConvergePeer[] = [pyinfra, ansible]
