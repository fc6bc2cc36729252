/** Python packages in a virtual environment of their own, each compared with its pinned hash before it is unpacked. */
import { type LocalFile, openFile } from '../artifacts/artifact.ts'
import { scriptCommand, within } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { sha256Of } from '../core/sha256.ts'
import { pathFact } from '../facts/path.ts'
import { prepareStaging, removeStaging, stagedPath, stagingFolder, swapInto } from '../files/directory-swap.ts'

/**
 * `requirements` is the text of pip's file, with hashes. `wheels` is a gzipped tar of wheels; without it pip asks the package index that the
 * host is configured for, through `proxy`. `remedy` names the settings that get them from elsewhere.
 */
export type VirtualEnvironmentOptions = Readonly<{
  path: string
  requirements: string
  wheels?: LocalFile | undefined
  proxy: readonly string[]
  remedy: string
}>

/** What was installed, and for which Python: a newer one does not look into the folder of an older one. */
const MARKER = '.tappass-requirements'

const STATE_SCRIPT = `cat -- "$1/${MARKER}" 2>/dev/null || exit 0; echo; readlink -f -- "$1/bin/python"; [ -x "$1/bin/python" ] || echo gone`

type State = Readonly<{ marker: string; python: string }> | undefined

function stateFact(path: string): Fact<State> {
  return {
    query: { argv: ['sh', '-c', STATE_SCRIPT, 'sh', path], effect: 'read' },
    parse: ({ stdout }) => {
      const [digest = '', madeFor = '', python = '', ...gone] = stdout.split('\n').filter((line) => line !== '')
      if (digest === '') return undefined
      return { marker: digest, python: gone.length === 0 && madeFor === python ? python : '' }
    },
  }
}

function reasonOf(state: State, digest: string): string | undefined {
  if (state === undefined) return 'it is absent'
  if (state.marker !== digest) return 'it was made from other requirements'
  return state.python === '' ? 'the Python that it was made for is gone' : undefined
}

/** Some thirty megabytes over a slow line. */
const INSTALL_MINUTES = 60

/** Wheels alone: nothing of a package runs while it is installed. pip's own limits end a wait for an index that does not answer. */
const INSTALL_SCRIPT = `python3 -m venv -- "$1"
cat >"$2/requirements.txt"
set -- "$1" "$2" "$3" "$4" --quiet --disable-pip-version-check --no-input --retries 2 --timeout 20 \\
  --no-deps --no-compile --only-binary :all: --require-hashes --requirement "$2/requirements.txt"
[ ! -d "$2/wheels" ] || set -- "$@" --no-index --find-links "$2/wheels"
target=$1 staging=$2 digest=$3 remedy=$4; shift 4
"$target/bin/python" -m pip install "$@" || { echo "other ways: $remedy" >&2; exit 1; }
{ echo "$digest"; readlink -f -- "$target/bin/python"; } >"$target/${MARKER}"
chmod -R go-w,a+rX -- "$target"`

function installCommands(options: VirtualEnvironmentOptions, digest: string): readonly [Command, ...Command[]] {
  const { path, requirements, wheels, proxy, remedy } = options
  const staging = stagingFolder(path)
  const staged = stagedPath(staging)
  const unpack =
    'mkdir -- "$1/wheels"; cat >"$1/wheels.tar.gz"; printf "%s  %s\\n" "$2" "$1/wheels.tar.gz" | sha256sum -c --quiet -; tar -xzf "$1/wheels.tar.gz" -C "$1/wheels" --no-same-owner'
  const install = scriptCommand(INSTALL_SCRIPT, [staged, staging, digest, remedy], requirements)
  return [
    prepareStaging(staging),
    ...(wheels === undefined
      ? []
      : [within(INSTALL_MINUTES, scriptCommand(unpack, [staging, wheels.sha256], openFile(wheels, wheels.sha256)))]),
    within(INSTALL_MINUTES, { ...install, argv: ['env', ...proxy, ...install.argv] }),
    swapInto(staging, path),
  ]
}

/** The environment: made in a staging folder and renamed, so that `path` is complete or absent. */
export function virtualEnvironment(options: VirtualEnvironmentOptions): Resource {
  return {
    id: `virtual-environment:${options.path}`,
    absent: leavesNothing('it goes with its folder'),
    fetches: async () =>
      options.wheels === undefined ? [{ kind: 'wheels', setting: 'site', requirements: options.requirements }] : [],
    plan: async (getFact) => {
      const staging = stagingFolder(options.path)
      const [state, left] = await Promise.all([getFact(stateFact(options.path)), getFact(pathFact(staging))])
      const digest = sha256Of(options.requirements)
      const reason = reasonOf(state, digest)
      if (reason === undefined) return left.kind === 'absent' ? [] : [removeStaging(staging)]
      const action = `install Python packages at ${options.path}`
      return [{ action, reason, commands: installCommands(options, digest) }]
    },
  }
}
