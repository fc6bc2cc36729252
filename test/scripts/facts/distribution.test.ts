/** What differs between Ubuntu and Debian, and between versions of systemd, as rows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dockerPackages, hasSteppedRestart, isSupported } from '../../../scripts/facts/distribution.ts'
import type { HostTraits } from '../../../scripts/facts/host-trait.ts'

const traits = (system: string, systemdVersion: number): HostTraits => {
  const [distribution = '', codename = ''] = system.split(' ')
  return {
    distribution,
    codename,
    versionId: '',
    platform: 'linux-x64',
    debianArchitecture: 'amd64',
    systemdVersion,
    credentialStore: 'encrypted',
    memoryMegabytes: 8192,
    hasAppArmor: false,
    network: { name: 'server', names: [], addresses: [], resolvers: [] },
  }
}

const vendor = ['docker-ce', 'docker-ce-cli', 'containerd.io']

const rows = [
  { system: 'ubuntu resolute', systemd: 259, distribution: ['docker.io', 'iptables'], stepped: true },
  { system: 'ubuntu noble', systemd: 255, distribution: ['docker.io', 'iptables'], stepped: true },
  { system: 'debian bookworm', systemd: 252, distribution: ['docker.io', 'iptables'], stepped: false },
  { system: 'debian trixie', systemd: 257, distribution: ['docker.io', 'docker-cli', 'iptables'], stepped: true },
] as const

for (const { system, systemd, distribution, stepped } of rows) {
  test(`distribution: ${system}`, () => {
    const host = traits(system, systemd)
    assert.equal(isSupported(host), true)
    assert.deepEqual(dockerPackages(host, 'vendor'), vendor)
    assert.deepEqual(dockerPackages(host, 'distribution'), distribution)
    // A kernel that enforces AppArmor wants its parser, which Docker's packages only recommend.
    for (const source of ['vendor', 'distribution'] as const) {
      const packages = dockerPackages({ ...host, hasAppArmor: true }, source)
      assert.deepEqual(packages, ['apparmor', ...dockerPackages(host, source)])
    }
    assert.equal(hasSteppedRestart(host), stepped)
  })
}

for (const system of ['ubuntu jammy', 'debian sid', 'fedora 43', 'debian noble', ' ']) {
  test(`distribution: "${system}" is not supported`, () => {
    assert.equal(isSupported(traits(system, 255)), false)
    assert.throws(() => dockerPackages(traits(system, 255), 'vendor'), /no package names are known/)
  })
}
