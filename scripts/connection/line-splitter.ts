/** Splits chunks of bytes into lines. */

/** A longer one is handed on in parts. */
const LINE_CHARS_MAX = 64 * 1024

/** Calls `onLine` with each complete line, without its end; `end` flushes the rest. A carriage return ends a line too: progress bars use it. */
export function splitLines(
  onLine: (line: string) => void,
): Readonly<{ write: (chunk: Uint8Array) => void; end: () => void }> {
  const decoder = new TextDecoder()
  let rest = ''
  const split = (text: string): void => {
    const lines = text.split(/\r\n|\n|\r/)
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
    if (rest.length < LINE_CHARS_MAX) return
    onLine(rest)
    rest = ''
  }
  return {
    write: (chunk) => split(rest + decoder.decode(chunk, { stream: true })),
    end: () => {
      if (rest !== '') onLine(rest)
      rest = ''
    },
  }
}
