/** Container images that we have brought to a host and that nothing of ours needs any more. An image of somebody else is never looked at. */
import { changeCommand, within } from '../core/command.ts'
import type { Fact, GetFact } from '../core/host.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { contentFact } from '../facts/path.ts'
import { type Ownership, planFile } from '../files/file-change.ts'

/** `record` is the file of what we have brought so far; `images` are those that run now, by service. */
export type SurplusImageOptions = Ownership & Readonly<{ record: string; images: Readonly<Record<string, string>> }>

/** Besides the current one of a service: what a rollback starts. */
const PREVIOUS_IMAGES_KEPT = 1

const NOTICE =
  '# The images that TapPass has brought to this host, the newest of a service last; all but the last two are removed.\n'

/** Those of the images that are there and that no container, running or stopped, was made from. */
function unusedFact(names: readonly string[]): Fact<readonly string[]> {
  // Of an engine that does not answer nothing is known.
  const script = `docker version >/dev/null 2>&1 || exit 0
for name do docker image inspect "$name" >/dev/null 2>&1 || { echo "gone $name"; continue; }
  [ -n "$(docker ps --all --quiet --filter "ancestor=$name" 2>&1)" ] || echo "unused $name"
done`
  return {
    query: { argv: ['sh', '-c', script, 'sh', ...names], effect: 'read' },
    parse: ({ stdout }) => stdout.split('\n').filter((line) => line !== ''),
  }
}

type Row = Readonly<{ service: string; name: string }>

function rowsOf(text: string): readonly Row[] {
  return text.split('\n').flatMap((line) => {
    const [service = '', name = ''] = line.startsWith('#') ? [] : line.split(' ')
    return name === '' ? [] : [{ service, name }]
  })
}

/** The record with what runs now at the end of each service, and what of it is too old. */
function nextRecord(rows: readonly Row[], images: SurplusImageOptions['images']) {
  const services = Object.entries(images).map(([service, name]) => {
    const before = rows.filter((row) => row.service === service && row.name !== name)
    return {
      kept: [...before.slice(-PREVIOUS_IMAGES_KEPT), { service, name }],
      old: before.slice(0, -PREVIOUS_IMAGES_KEPT),
    }
  })
  const others = rows.filter(({ service }) => images[service] === undefined)
  const kept = [...others, ...services.flatMap((each) => each.kept)]
  const current = new Set(kept.map(({ name }) => name))
  return { kept, old: services.flatMap((each) => each.old).filter(({ name }) => !current.has(name)) }
}

async function planRecord(getFact: GetFact, { record, images }: Pick<SurplusImageOptions, 'record' | 'images'>) {
  const { kept, old } = nextRecord(rowsOf((await getFact(contentFact(record))) ?? ''), images)
  const found = old.length === 0 ? [] : await getFact(unusedFact(old.map(({ name }) => name)))
  const isOver = ({ name }: Row) => found.includes(`unused ${name}`) || found.includes(`gone ${name}`)
  const removals = old
    .filter(({ name }) => found.includes(`unused ${name}`))
    .map(
      ({ name, service }): Change => ({
        action: `remove the image ${name}`,
        reason: `of ${service} only the previous one is kept`,
        commands: [within(5, changeCommand('docker', 'image', 'rm', '--', name))],
      }),
    )
  const rows = [...old.filter((row) => !isOver(row)), ...kept]
  return { removals, text: `${NOTICE}${rows.map(({ service, name }) => `${service} ${name}\n`).join('')}` }
}

/** Removes them; one that a container still needs stays, and stays in the record. */
export function surplusImage({ record, images, ...ownership }: SurplusImageOptions): Resource {
  return {
    id: `surplus-image:${record}`,
    absent: leavesNothing('its record goes with its folder'),
    plan: async (getFact) => {
      const plan = planRecord(getFact, { record, images })
      // Asked in the same turn: where nothing is old, nothing else is asked.
      const text = plan.then((planned) => planned.text)
      const [{ removals }, file] = await Promise.all([plan, planFile(getFact, { path: record, ...ownership }, text)])
      return [...removals, ...file]
    },
  }
}
