/** That the Docker which a host has already can be used, or be left alone: nothing to change, but reasons to refuse. */
import { type Failure, refusedFailure } from '../core/failure.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { type ForeignDocker, foreignDockerFact } from '../facts/foreign-docker.ts'
import { type HostTraits, hostTraitsFact } from '../facts/host-trait.ts'
import { type Packages, packagesFact } from '../facts/package.ts'

/**
 * `packages` are those that will be installed, `conflicts` those that can't be beside them. `settledBy` are paths; once one of them exists, the
 * engine is ours or was looked at. `otherSource` is the other value of docker.source.
 */
export type ForeignEngineOptions = Readonly<{
  packages: (traits: HostTraits) => readonly string[]
  conflicts: readonly string[]
  settledBy: readonly string[]
  otherSource: string
}>

/** `isAdopted`: the engine goes on with its own settings. */
export type ForeignContainersOptions = Readonly<{ settledBy: readonly string[]; isAdopted: boolean }>

const ENGINES = ['docker.io', 'docker-ce']
const NAMES_SHOWN_MAX = 5

function isInstalled({ byName }: Packages, name: string): boolean {
  return byName.get(name)?.status[1] === 'i'
}

function snapFailure(path: string): Failure {
  return refusedFailure(
    'Docker is here as a snap',
    `${path} is there: two engines would share one socket and one name`,
    'if nothing needs it: snap remove docker   (on the host; its containers and volumes go with it); or take another machine',
  )
}

function conflictFailure(names: readonly string[], otherSource: string): Failure {
  const why = 'they cannot be installed beside ours, and nothing of somebody else is removed'
  const next = names.includes('podman-docker')
    ? 'apt-get remove podman-docker   (on the host, if nothing needs its command docker)'
    : `keep them: docker.source: ${otherSource} in host.yaml`
  return refusedFailure(`there is another Docker on this host: ${names.join(', ')}`, why, next)
}

function engineFailure(what: string): Failure {
  return refusedFailure(
    what,
    'it was not installed as a package that we know; two engines would share one socket',
    'see what it is: ss -lxp src /run/docker.sock   (on the host); stop it, or take another machine',
  )
}

function containersFailure(names: readonly string[]): Failure {
  const more = names.length > NAMES_SHOWN_MAX ? ` and ${names.length - NAMES_SHOWN_MAX} more` : ''
  return refusedFailure(
    'the Docker of this host has containers of somebody else',
    `${names.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}: with our settings they would publish their ports on loopback only, and the engine would be restarted`,
    'set docker.adopt: true in host.yaml: the engine goes on as it is, with its own settings',
  )
}

function silentFailure(): Failure {
  const next = 'systemctl status docker   (on the host)'
  return refusedFailure('the Docker of this host does not answer', 'nobody knows what runs in it', next)
}

function remapFailure(): Failure {
  return refusedFailure(
    'the Docker of this host gives containers other accounts',
    'userns-remap is in /etc/docker/daemon.json: our containers could not read their data',
    'take userns-remap out there, or take another machine',
  )
}

/** Throws a `Failure` (exit 5) for an engine that can't be beside the one of our packages. */
export function foreignEngine(options: ForeignEngineOptions): Resource {
  return {
    id: 'foreign-docker:engine',
    absent: leavesNothing('it makes nothing'),
    plan: async (getFact) => {
      const [traits, packages, { snap, isListening }] = await Promise.all([
        getFact(hostTraitsFact),
        getFact(packagesFact),
        getFact(foreignDockerFact(options.settledBy)),
      ])
      const desired = options.packages(traits)
      const isComplete = desired.every((name) => isInstalled(packages, name))
      const conflicting = isComplete ? [] : options.conflicts.filter((name) => isInstalled(packages, name))
      const hasPackage = ENGINES.some((name) => (packages.byName.get(name)?.status ?? 'un')[1] !== 'n')
      if (snap !== undefined) throw snapFailure(snap)
      if (conflicting.length > 0) throw conflictFailure(conflicting, options.otherSource)
      if (isListening && !hasPackage) throw engineFailure('an engine listens on /run/docker.sock already')
      return []
    },
  }
}

function failureOf(isAdopted: boolean, found: ForeignDocker): Failure | undefined {
  if (found.isSilent) return silentFailure()
  if (isAdopted) return found.isRemappingUsers ? remapFailure() : undefined
  return found.containers.length > 0 ? containersFailure(found.containers) : undefined
}

/** Throws a `Failure` (exit 5) for containers that our settings would change, and for settings that ours can't run with. */
export function foreignContainers({ settledBy, isAdopted }: ForeignContainersOptions): Resource {
  return {
    id: 'foreign-docker:containers',
    absent: leavesNothing('it makes nothing'),
    plan: async (getFact) => {
      const failure = failureOf(isAdopted, await getFact(foreignDockerFact(settledBy)))
      if (failure !== undefined) throw failure
      return []
    },
  }
}
