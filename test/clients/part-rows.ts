/** Pictures, sound and files in a message, as OpenAI's API takes them: real files, as small as they can be. */

const PICTURE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** A sound of 0.1 seconds of silence, at 8 kHz. */
function silence(): string {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + 800, 4)
  header.write('WAVEfmt ', 8)
  for (const [at, value] of [
    [16, 16],
    [24, 8000],
    [28, 8000],
    [40, 800],
  ] as const)
    header.writeUInt32LE(value, at)
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 1],
    [34, 8],
  ] as const)
    header.writeUInt16LE(value, at)
  header.write('data', 36)
  return Buffer.concat([header, Buffer.alloc(800, 128)]).toString('base64')
}

/** The picture, as bytes in base64 and as an address of data. */
export const PICTURE_DATA: string = PICTURE

/** The parts of a message. */
export const PARTS: readonly object[] = [
  { type: 'text', text: 'What do you see and hear?' },
  { type: 'image_url', image_url: { url: `data:image/png;base64,${PICTURE}`, detail: 'low' } },
  { type: 'input_audio', input_audio: { data: silence(), format: 'wav' } },
]
