/** Roles and their order. A route names the lowest role that it requires. */

const LEVEL = { AGENT: 0, EMPLOYEE: 0, AUDITOR: 10, DEVELOPER: 20, ADMIN: 30, PLATFORM: 40 } as const

/** The roles of tappass.md §3.4; AGENT makes governed calls and nothing else. */
export type Role = keyof typeof LEVEL

/** Given the role of a key's row, returns the role, or undefined when it is unknown. */
export function parseRole(text: string): Role | undefined {
  const name = text.toUpperCase()
  return Object.hasOwn(LEVEL, name) ? (name as Role) : undefined
}

/** True when `role` is `required` or above it. */
export function isAtLeast(role: Role, required: Role): boolean {
  return LEVEL[role] >= LEVEL[required]
}
