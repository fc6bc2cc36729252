/** Names of the tools in a body: offered by a request, called by an answer. */
import { NO_TOOLS, type ToolNames } from '../core/call.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** Stands for a name that can't be one: it may be any text. */
export const UNNAMED_TOOL = '(not a tool name)'

/** Tools that a client runs itself; a tool of any other type is run by the model server. */
const CLIENT_TYPES = new Set(['function', 'custom'])

/** A name as it may be shown to the policy. */
export function toolName(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/-]{1,128}$/.test(value) ? value : UNNAMED_TOOL
}

/** The names in the body of a request, or of an answer that is complete. */
export function toolNamesOf(body: object): ToolNames {
  const { tools, functions, web_search_options: search, choices } = body as JsonObject
  const calls = itemsOf(choices).flatMap(callsOf)
  const own = [...itemsOf(tools).filter(isClientTool), ...itemsOf(functions)].map(nameOf)
  const hosted = itemsOf(tools)
    .filter((tool) => !isClientTool(tool))
    .map((tool) => toolName((tool as JsonObject | null)?.['type']))
  if (search !== undefined && search !== null) hosted.push('web_search')
  if (calls.length + own.length + hosted.length === 0) return NO_TOOLS
  return { offered: sorted([...own, ...hosted]), hosted: sorted(hosted), called: sorted(calls.map(nameOf)) }
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}

function itemsOf(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : []
}

/** True also where the type is left out. */
function isClientTool(tool: unknown): boolean {
  const { type, function: named } = (tool ?? {}) as JsonObject
  return type === undefined ? named !== undefined : CLIENT_TYPES.has(type as string)
}

/** The calls of a choice: `tool_calls` of its message, and the older `function_call`. */
function callsOf(choice: unknown): readonly unknown[] {
  const { tool_calls: calls, function_call: older } = ((choice as JsonObject | null)?.['message'] ?? {}) as JsonObject
  return [...itemsOf(calls), ...(older === undefined || older === null ? [] : [older])]
}

/** The name of a tool or of a call to one: in its own object, or beside the type. */
function nameOf(tool: unknown): string {
  const { name, function: own, custom } = (tool ?? {}) as JsonObject
  return toolName(((own ?? custom ?? {}) as JsonObject)['name'] ?? name)
}
