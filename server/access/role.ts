/** Roles and their order. A route names the least role that it wants. */

const LEVEL = { AGENT: 0, EMPLOYEE: 0, AUDITOR: 10, DEVELOPER: 20, ADMIN: 30, PLATFORM: 40 } as const

/** The roles of tappass.md §3.4; AGENT makes governed calls and nothing else. */
export type Role = keyof typeof LEVEL

/** Given a text from a key's row, returns the role, or undefined when it is none. */
export function parseRole(text: string): Role | undefined {
  const name = text.toUpperCase()
  return Object.hasOwn(LEVEL, name) ? (name as Role) : undefined
}

/** True when `role` stands at or above `least`. */
export function isAtLeast(role: Role, required: Role): boolean {
  return LEVEL[role] >= LEVEL[required]
}
