/**
 * A template unit whose instances are moved to a new text one after the other (files/unit-override.ts). The template and its settings
 * say what is in force: they are written when every instance runs the new text, or when there was no template yet.
 */

import { changeCommand, scriptCommand } from '../core/command.ts'
import type { GetFact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { RELOAD_COMMAND, serveCommand, unitPath } from '../core/unit-command.ts'
import { pathFact } from '../facts/path.ts'
import { planFile, ROOT_FILE } from '../files/file-change.ts'
import { planFileAbsent, planUnitAbsent } from '../files/removal.ts'
import { overridesFact, type RolloutFiles, removeOverride } from '../files/unit-override.ts'
import { resolveUnitText, type UnitSource } from '../files/unit-text.ts'

/** `serving` is as for `unit`. `assertCanGoBack` throws a `Failure` where what is in force can't be started any more. */
export type UnitTemplateOptions = Readonly<{
  source: UnitSource
  rollout: RolloutFiles
  serving: string
  assertCanGoBack: (getFact: GetFact) => Promise<void>
}>

async function planFiles(getFact: GetFact, { source, rollout }: UnitTemplateOptions): Promise<readonly Change[]> {
  const { template, settings } = rollout
  const text = resolveUnitText(getFact, source).then((resolved) => resolved.text)
  const [settingsChanges, unitChanges] = await Promise.all([
    planFile(getFact, { path: settings.path, ...ROOT_FILE }, settings.content),
    planFile(getFact, { path: unitPath(template), ...ROOT_FILE }, text),
  ])
  return [
    ...settingsChanges,
    ...unitChanges.map((change) => ({ ...change, commands: [...change.commands, RELOAD_COMMAND] }) as const),
  ]
}

/** The template and its settings where there is none yet: nothing is in force, and its instances need it. */
export function firstUnitTemplate(options: UnitTemplateOptions): Resource {
  const { template } = options.rollout
  return {
    id: `first-unit-template:${template}`,
    // The first in the recipe is the last to go: an instance without its template can't be disabled.
    absent: async (getFact) => {
      const slice = scriptCommand('systemctl stop "$1" 2>/dev/null || :', [
        `system-${template.replace(/@.*/, '')}.slice`,
      ])
      const removal = await planFileAbsent(getFact, unitPath(template))
      return removal.map((change) => ({ ...change, commands: [...change.commands, slice] as const }))
    },
    plan: async (getFact) => {
      const [standing, changes] = await Promise.all([
        getFact(pathFact(unitPath(template))),
        planFiles(getFact, options),
      ])
      return standing.kind === 'absent' ? changes : []
    },
  }
}

/** The template and its settings, after its instances. What they needed to run ahead of it is removed. */
export function unitTemplate(options: UnitTemplateOptions): Resource {
  const { rollout, serving, assertCanGoBack } = options
  const { template, settings } = rollout
  const next = pathFact(settings.nextPath)
  return {
    id: `unit:${template}`,
    files: async (getFact) => [
      { path: settings.path, content: settings.content },
      { path: unitPath(template), content: (await resolveUnitText(getFact, options.source)).text },
    ],
    absent: async (getFact) => {
      const overrides = await getFact(overridesFact(template))
      return (await Promise.all(overrides.map((name) => planUnitAbsent(getFact, name)))).flat()
    },
    plan: async (getFact) => {
      const [standing, changes, overrides, left] = await Promise.all([
        getFact(pathFact(unitPath(template))),
        planFiles(getFact, options),
        getFact(overridesFact(template)),
        getFact(next),
      ])
      return [
        ...(standing.kind === 'absent' ? [] : changes),
        ...(overrides.length === 0 && left.kind === 'absent'
          ? []
          : [removal(overrides, settings.nextPath, 'all instances run what is in force')]),
      ]
    },
    undo: async (getFact) => {
      const overrides = await getFact(overridesFact(template))
      if (overrides.length === 0) return []
      await assertCanGoBack(getFact)
      const back = overrides.map((name) => ({
        action: `put ${name} back to what is in force`,
        reason: 'the rollout failed',
        commands: [...removeOverride(name), serveCommand('restart', name, serving)] as const,
      }))
      return [...back, removal([], settings.nextPath, 'the rollout failed')]
    },
  }
}

function removal(overrides: readonly string[], nextPath: string, reason: string): Change {
  const paths = [...overrides.map(unitPath), nextPath]
  return {
    action: `remove ${paths.join(' ')}`,
    reason,
    commands: [changeCommand('rm', '-f', '--', ...paths), RELOAD_COMMAND],
  }
}
