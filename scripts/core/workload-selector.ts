/** Selectors of workloads, as SPIRE's agent finds them: what has to be true of a process. */

/** A selector as SPIRE has it: the attestor's name, and what it says. */
export type Selector = Readonly<{ type: string; value: string }>

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*\$?$/
const NUMBER = /^\d{1,10}$/
const TEXT = /^[\x21-\x7e]+$/

/**
 * The kinds by attestor, and how their values look. `unix:path` and `unix:sha256` are not among them: to read which program a process of
 * another account runs, the agent would have to be root.
 */
const KINDS: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  unix: {
    ...{ uid: NUMBER, user: NAME, gid: NUMBER, group: NAME },
    ...{ supplementary_gid: NUMBER, supplementary_group: NAME },
  },
  systemd: { id: /^[\w:.@\\-]+\.(service|scope|slice)$/, fragment_path: /^\/[\x21-\x7e]+$/ },
  docker: {
    label: /^[\x21-\x7e]+:[\x20-\x7e]*$/,
    env: /^\w+=[\x20-\x7e]*$/,
    image_id: TEXT,
    image_config_digest: TEXT,
  },
}

/** An example of each attestor's, for messages. */
export const SELECTOR_EXAMPLES = 'unix:user:NAME, systemd:id:UNIT.service or docker:label:KEY:VALUE'

/** Returns the selector in a text such as `unix:user:planner`; undefined: it is none that the agent here finds. */
export function parseSelector(text: string): Selector | undefined {
  const [, type = '', value = '', kind = '', rest = ''] = /^([a-z]+):(([a-z0-9_]+):(.+))$/.exec(text) ?? []
  const kinds = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined
  const shape = kinds !== undefined && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  return shape?.test(rest) ? { type, value } : undefined
}
