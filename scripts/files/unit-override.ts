/**
 * Instances that run ahead of their template: a unit file with the name of the instance, which systemd prefers to the template,
 * and a settings file beside the one in force. So each instance starts from what it was last moved to, whatever becomes of a rollout:
 * until all have been moved, the template and its settings stay as they were.
 */
import { changeCommand } from '../core/command.ts'
import type { Command, Fact, GetFact } from '../core/host.ts'
import { sha256Of } from '../core/sha256.ts'
import { RELOAD_COMMAND, unitPath } from '../core/unit-command.ts'
import { digestFact, pathFact } from '../facts/path.ts'
import { ROOT_FILE, writeCommands } from './file-change.ts'

/** `template` is the unit's name (`x@.service`). `settings` is the file that the text names, and its content; it is `nextPath` in an override. */
export type RolloutFiles = Readonly<{
  template: string
  settings: Readonly<{ path: string; nextPath: string; content: string }>
}>

function isDigestOf(digest: string | undefined, content: string): boolean {
  return digest === sha256Of(content)
}

/**
 * Returns the commands that make an instance start from the desired text: with an override while template or settings are others,
 * and without one when they are as desired. All facts are requested in the same turn.
 */
export async function overrideCommands(
  getFact: GetFact,
  { template, settings }: RolloutFiles,
  instance: string,
  desiredText: Promise<string>,
): Promise<readonly Command[]> {
  const path = unitPath(instance)
  const [standing, standingSettings, override, text] = await Promise.all([
    getFact(digestFact(unitPath(template))),
    getFact(digestFact(settings.path)),
    getFact(pathFact(path)),
    desiredText,
  ])
  if (standing !== undefined && (!isDigestOf(standing, text) || !isDigestOf(standingSettings, settings.content)))
    return [
      ...writeCommands({ path: settings.nextPath, ...ROOT_FILE }, settings.content),
      ...writeCommands({ path, ...ROOT_FILE }, text.replaceAll(settings.path, settings.nextPath)),
      RELOAD_COMMAND,
    ]
  return override.kind === 'absent' ? [] : removeOverride(instance)
}

/** Returns the commands after which an instance starts from its template again. */
export function removeOverride(instance: string): readonly [Command, ...Command[]] {
  return [changeCommand('rm', '-f', '--', unitPath(instance)), RELOAD_COMMAND]
}

/** The instances that have an override. */
export function overridesFact(template: string): Fact<readonly string[]> {
  const pattern = template.replace('@.', '@?*.')
  const script = 'find /etc/systemd/system -maxdepth 1 -type f -name "$1" -printf "%f\\n" | sort'
  return {
    query: { argv: ['sh', '-c', script, 'sh', pattern], effect: 'read' },
    parse: ({ stdout }) => stdout.split('\n').filter((name) => name !== ''),
  }
}
