/** File trees that machines start from: Debian from its own packages, built once for each recipe. */
import { demand } from './execution.ts'
import { buildOnce, recipeKey } from './keyed-folder.ts'
import { cachePath } from './setting.ts'

/** What a plain server has when it is handed over, and no more: no Docker, no Node, no libatomic1. */
const barePackages = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'udev',
  'sudo',
  'openssh-server',
  'ca-certificates',
  'iproute2',
  'nftables',
  'curl',
  'procps',
  'less',
  'python3-minimal',
]

type Tree = Readonly<{ suite: string; packages: readonly string[] }>

/**
 * The trees by name: Debian's release, and its packages. `docker` has all packages that a server gets, which saves a test that isn't
 * about them a quarter of its bootstrap; `bookworm` is what continuous integration runs on, Debian 12.
 */
const trees: Readonly<Record<string, Tree>> = {
  bare: { suite: 'trixie', packages: barePackages },
  docker: {
    suite: 'trixie',
    packages: [
      ...[...barePackages, 'openssl', 'libatomic1'],
      ...['docker.io', 'docker-cli', 'docker-compose', 'containerd', 'iptables'],
    ],
  },
  bookworm: { suite: 'bookworm', packages: barePackages },
}

/** What makes a tree one machine's own is taken away here, and written for each machine anew. */
const anonymise =
  'rm -f "$1"/etc/ssh/ssh_host_*_key* "$1"/etc/hostname "$1"/etc/resolv.conf "$1"/var/lib/systemd/random-seed && : > "$1"/etc/machine-id'

/** Gives the folder of a tree, built first where it is missing (about 20 s). Throws for a name it doesn't know. */
export async function ensureTree(name: string): Promise<string> {
  const tree = trees[name]
  if (tree === undefined) throw new Error(`no tree is called "${name}": there are ${Object.keys(trees).join(', ')}`)
  const { suite, packages } = tree
  const recipe = { suite, packages, anonymise }
  return buildOnce(cachePath('trees', `${name}-${recipeKey(recipe)}`), async (target) => {
    const include = `--include=${packages.join(',')}`
    await demand(['mmdebstrap', '--variant=minbase', include, `--customize-hook=${anonymise}`, suite, target])
  })
}
