/** Hands an uninstall over to its host: it goes on from a copy of the toolkit, which outlives what it takes away and goes last. */
import { HOST_PATH } from '../../contract/path.ts'
import { openArchive } from '../artifacts/artifact.ts'
import type { Invocation } from '../command-line/invocation.ts'
import type { RemovalHandOver } from '../converge/host-removal.ts'
import { changeCommand, scriptCommand, within } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import type { HostSession } from '../session/host-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { freeUnit, startJob, unsentJobOf } from './job-start.ts'

const COPY = { node: `${HOST_PATH.uninstallFolder}/node`, release: `${HOST_PATH.uninstallFolder}/release` } as const

/** Copies Node, and the release where it is there; links on a full disk. Node has to start. */
const COPY_SCRIPT = `umask 022; rm -rf -- "$1"; mkdir -p -- "$1"
copy() { cp -a -- "$1" "$2" 2>/dev/null || { rm -rf -- "$2"; cp -al -- "$1" "$2"; }; }
copy "$(readlink -e -- "$2")" "$1/node"; "$1/node" --version >/dev/null
[ ! -f "$3/scripts/job.ts" ] || copy "$3" "$1/release"
mkdir -p -- "$1/release"; ls "$1/release" | wc -l`

const UNPACK_SCRIPT = 'tar -xzf - -C "$1" --no-same-owner'

const SEND_MINUTES = 60

function sendCommand({ release }: HostSpec): Command {
  return within(SEND_MINUTES, scriptCommand(UNPACK_SCRIPT, [COPY.release], openArchive(release)))
}

/** Returns whether the copy is there. A host without Node, or without room, is left to the controller. */
async function copyToolkit({ run }: HostSession, spec: HostSpec): Promise<boolean> {
  const release = `${HOST_PATH.releasesFolder}/${spec.release.version}`
  const copied = await run(scriptCommand(COPY_SCRIPT, [HOST_PATH.uninstallFolder, HOST_PATH.nodeProgram, release]))
  const sent = copied.code === 0 && copied.stdout.trim() === '0' ? await run(sendCommand(spec)) : copied
  if (sent.code === 0) return true
  await run(changeCommand('rm', '-rf', '--', HOST_PATH.uninstallFolder))
  return false
}

/** Which pages the site was built from does not matter to what is taken away. */
function withoutPages(spec: HostSpec): HostSpec {
  return { ...spec, site: 'none', written: { ...spec.written, site: 'none' } }
}

/** Returns what hands an uninstall of a host over, with the lock of the host held. */
export function createRemovalHandOver(invocation: Invocation, spec: HostSpec): RemovalHandOver {
  return {
    prepare: async (host) => {
      await freeUnit(invocation, host)
      return await copyToolkit(host, spec)
    },
    start: async (host, { holder, removal, left }) => {
      const base = {
        ...unsentJobOf(invocation, host, holder, withoutPages(spec)),
        removal: { ...removal, left: left.map((each) => ({ ...each })) },
      }
      const nothing = { commands: [], part: { files: {}, pagesFolder: null, secrets: {}, bundle: null } }
      const place = { ...COPY, remove: HOST_PATH.uninstallFolder }
      return await startJob(invocation, host, base, nothing, place)
    },
  }
}
