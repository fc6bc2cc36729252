/** Lines out of chunks of bytes. */

/** Gives each whole line (without its end) to `hear`; call `end` for what is left. Carriage returns end a line too: progress bars use them. */
export function lineHearer(
  hear: (line: string) => void,
): Readonly<{ take: (chunk: Uint8Array) => void; end: () => void }> {
  const decoder = new TextDecoder()
  let rest = ''
  const give = (text: string): void => {
    const lines = text.split(/\r\n|\n|\r/)
    rest = lines.pop() ?? ''
    for (const line of lines) hear(line)
  }
  return {
    take: (chunk) => give(rest + decoder.decode(chunk, { stream: true })),
    end: () => {
      if (rest !== '') hear(rest)
      rest = ''
    },
  }
}
