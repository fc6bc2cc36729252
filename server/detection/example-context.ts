/** Whether a place in a document is part of an example, by what stands around it. */

const CONTEXT_CHARS = 1_500
const HOSTS_MIN = 2

/** Hosts and domains that are kept for examples (RFC 2606, RFC 6761). */
const EXAMPLE_HOST = /\bexample\.(?:com|org|net|edu)\b|\b[\w-]{1,63}\.(?:example|invalid)\b/gi

/** Hosts of addresses. */
const HOST = /https?:\/\/(?:[^\s@/]{1,80}@)?([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})/g
const NOWHERE = /(?:^|\.)example\.(?:com|org|net|edu)$|\.(?:example|invalid|test|localhost|local|internal)$|^[\d.]+$/i

/** Whether the hosts that are named around a place are those of examples alone, at least two times. */
export function isOfExample(text: string, at: number): boolean {
  const around = text.slice(Math.max(0, at - CONTEXT_CHARS), at + CONTEXT_CHARS)
  if ((around.match(EXAMPLE_HOST) ?? []).length < HOSTS_MIN) return false
  return [...around.matchAll(HOST)].every(([, host = '']) => NOWHERE.test(host))
}

const LINE_CHARS = 200

/** A comment that says which password the next line is about. */
const SAID =
  /(?:#|\/\/|--|\/\*|;)[^\n]{0,60}\bpass(?:word|phrase)\b[^\n]{0,20}(?:\bis\b|\bwas\b|=|:)[^\n]{1,60}\n[^\n]*$/i

/** Whether the line above a place says what the password is. */
export function isSaidAbove(text: string, at: number): boolean {
  return SAID.test(text.slice(Math.max(0, at - LINE_CHARS), at))
}
