/** Pointers as they may be recorded. */
import { API_NAMES } from '../protocol/api-name.ts'
import { KEY_SUFFIX } from '../protocol/json-pointer.ts'

/** Given a pointer, returns it with `*` for every key that is not a name of the API: such keys are a client's text. */
export function safePointer(pointer: string): string {
  const isKey = pointer.endsWith(KEY_SUFFIX)
  const path = isKey ? pointer.slice(0, -KEY_SUFFIX.length) : pointer
  const tokens = path
    .split('/')
    .map((token) => (token === '' || /^\d{1,6}$/.test(token) || API_NAMES.has(token) ? token : '*'))
  return tokens.join('/') + (isKey ? KEY_SUFFIX : '')
}
