/** A release of TapPass on the host: a folder of its own, its content checked, and the link to the one in force. */
import { createHash } from 'node:crypto'
import type { ReleasePack } from '../artifacts/artifact.ts'
import { change, changeByScript } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { digestFact, pathFact, targetFact } from '../facts/path.ts'
import { unguarded } from '../facts/permission.ts'
import { clearWorkshop, madeIn, openWorkshop, swapIn, workshop } from '../files/directory-swap.ts'
import { linkCommand, refuseDirectory } from '../files/link-change.ts'

/** Laid down in ROOT/releases/VERSION; ROOT/current is switched to it. */
export type ReleaseOptions = Readonly<{ root: string; pack: ReleasePack }>

const MANIFEST_NAME = '.manifest'

/**
 * Every file of the manifest has its digest, there is nothing but folders besides (a folder is read for steps, so a stray file or link
 * would count), only its owner (root) may write, and all may read.
 */
function isIntactFact(path: string): Fact<boolean> {
  return {
    ask: {
      argv: [
        'sh',
        '-c',
        `cd "$1" 2>/dev/null && sha256sum -c --status "$2" && [ "$(find . ! -type d | wc -l)" = "$(( $(wc -l <"$2") + 1 ))" ] && [ -z "$(find . ${unguarded})" ] && echo intact`,
        'sh',
        path,
        MANIFEST_NAME,
      ],
      effect: 'read',
    },
    parse: ({ stdout }) => stdout.trim() === 'intact',
  }
}

function layDown(path: string, pack: ReleasePack): readonly [Command, ...Command[]] {
  const shop = workshop(path)
  const made = madeIn(shop)
  return [
    openWorkshop(shop),
    changeByScript('tar -xzf - -C "$1" --no-same-owner', [made], { open: pack.open }),
    changeByScript('cd "$1"; cat >"$2"; sha256sum -c --quiet "$2"', [made, MANIFEST_NAME], pack.manifest),
    change('chmod', '-R', 'go-w,a+rX', '--', made),
    swapIn(shop, path),
  ]
}

/** Besides the one in force, this many stay to go back to. */
const OTHERS_KEPT = 2

/** The versions on the host, the newest first. */
function versionsFact(root: string): Fact<readonly string[]> {
  return {
    ask: { argv: ['ls', '-1t', '--', `${root}/releases`], effect: 'read' },
    parse: ({ code, stdout }) => (code === 0 ? stdout.split('\n').filter((name) => name !== '') : []),
  }
}

/** Files that were changed, added or are missing count: the folder is laid down again beside and swapped. Old releases go. */
export function release({ root, pack }: ReleaseOptions): Resource {
  return {
    id: `release:${root}`,
    plan: async (know) => {
      const path = `${root}/releases/${pack.version}`
      const current = `${root}/current`
      const shop = workshop(path)
      const [isIntact, manifest, target, standing, versions, left] = await Promise.all([
        know(isIntactFact(path)),
        know(digestFact(`${path}/${MANIFEST_NAME}`)),
        know(targetFact(current)),
        know(pathFact(current)),
        know(versionsFact(root)),
        know(pathFact(shop)),
      ])
      refuseDirectory(current, standing)
      const changes: Change[] = []
      if (!isIntact || manifest !== createHash('sha256').update(pack.manifest).digest('hex')) {
        const because = manifest === undefined ? 'it is absent' : 'its files were changed'
        changes.push({ does: `lay down release ${pack.version}`, because, commands: layDown(path, pack) })
      } else if (left.kind !== 'absent') changes.push(clearWorkshop(shop))
      if (target !== path) {
        const because = target === undefined ? 'it is absent' : `it is to ${target}`
        changes.push({ does: `link ${current} to ${path}`, because, commands: [linkCommand(current, path)] })
      }
      for (const old of versions.filter((version) => version !== pack.version).slice(OTHERS_KEPT)) {
        const commands = [change('rm', '-rf', '--', `${root}/releases/${old}`)] as const
        changes.push({ does: `remove release ${old}`, because: `${OTHERS_KEPT} newer ones are kept`, commands })
      }
      return changes
    },
  }
}
