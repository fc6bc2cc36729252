/** Bytes that nobody can read, files by how they begin, and the places where clients put either into a body. */
import { createCipheriv } from 'node:crypto'

/** Bytes that look like chance, the same in every run. */
export const noise = (count: number, seed = 1): Buffer => {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16))
  return cipher.update(Buffer.alloc(count))
}

/** Bytes in base64. */
export const base64 = (bytes: Buffer | string): string => Buffer.from(bytes).toString('base64')

/** A text in lines of one length. */
export const lines = (text: string, columns = 64, end = '\n'): string =>
  (text.match(new RegExp(`.{1,${columns}}`, 'g')) ?? []).join(end)

/** A file that begins so, and goes on by chance. */
export const bytesOf = (start: string, count = 900): Buffer =>
  Buffer.concat([Buffer.from(start, 'latin1'), noise(count)])

/** Files that clients send: pictures, sound, films, PDF. */
export const FILES: Readonly<Record<string, Buffer>> = {
  PNG: bytesOf('\x89PNG\r\n\x1a\n'),
  JPEG: bytesOf('\xff\xd8\xff\xe0\0\x10JFIF\0'),
  GIF: bytesOf('GIF89a'),
  WebP: bytesOf('RIFF\x10\0\0\0WEBP'),
  HEIC: bytesOf('\0\0\0\x18ftypheic'),
  'JPEG 2000': bytesOf('\0\0\0\x0cjP  \r\n\x87\n'),
  PDF: bytesOf('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n'),
  WAV: bytesOf('RIFF\x10\0\0\0WAVEfmt '),
  MP3: bytesOf('ID3\x04'),
  'MP3 without a title': bytesOf('\xff\xfb\x90\x64'),
  AAC: bytesOf('\xff\xf1\x50\x80'),
  Ogg: bytesOf('OggS\0\x02'),
  FLAC: bytesOf('fLaC\0\0\0\x22'),
  MIDI: bytesOf('MThd\0\0\0\x06\0\x01'),
  MP4: bytesOf('\0\0\0\x20ftypisom'),
  WebM: bytesOf('\x1aE\xdf\xa3'),
}

const asks = (...parts: readonly object[]): object => ({
  messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, ...parts] }],
})
const says = (content: unknown): object => ({
  messages: [
    { role: 'user', content: 'Look.' },
    { role: 'tool', tool_call_id: 'call_1', content },
  ],
})
const inputs = (part: object): object => ({ input: [{ role: 'user', content: [part] }] })
const result = (...content: readonly object[]): string => JSON.stringify({ content, isError: false })

/** Where clients put bytes: the client, a body that has them there in base64, and the pointer of the text. */
export const SHAPES: readonly (readonly [client: string, body: (data: string) => object, pointer: string])[] = [
  [
    'a file of a chat, as a data: URI',
    (data) => asks({ type: 'file', file: { filename: 'a', file_data: `data:application/pdf;base64,${data}` } }),
    '/messages/0/content/1/file/file_data',
  ],
  [
    'a file of a chat, bare',
    (data) => asks({ type: 'file', file: { filename: 'a', file_data: data } }),
    '/messages/0/content/1/file/file_data',
  ],
  [
    'input_file of Responses',
    (data) => inputs({ type: 'input_file', filename: 'a', file_data: `data:application/pdf;base64,${data}` }),
    '/input/0/content/0/file_data',
  ],
  [
    'input_image of Responses',
    (data) => inputs({ type: 'input_image', image_url: `data:image/png;base64,${data}` }),
    '/input/0/content/0/image_url',
  ],
  [
    'the output of a tool of Responses',
    (data) => ({
      input: [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_file', file_data: data }] }],
    }),
    '/input/0/output/0/file_data',
  ],
  [
    'a picture that Responses had made',
    (data) => ({ input: [{ type: 'image_generation_call', id: 'ig_1', result: data }] }),
    '/input/0/result',
  ],
  [
    'a document of Anthropic',
    (data) => asks({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data } }),
    '/messages/0/content/1/source/data',
  ],
  [
    'an image of Anthropic',
    (data) => asks({ type: 'image', source: { type: 'base64', media_type: 'image/png', data } }),
    '/messages/0/content/1/source/data',
  ],
  [
    'an image in the result of a tool of Anthropic',
    (data) => {
      const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data } }
      return asks({ type: 'tool_result', tool_use_id: 't', content: [image] })
    },
    '/messages/0/content/1/content/0/source/data',
  ],
  [
    'a picture of a chat',
    (data) => asks({ type: 'image_url', image_url: { url: `data:image/png;base64,${data}`, detail: 'low' } }),
    '/messages/0/content/1/image_url/url',
  ],
  [
    'sound of Gemini, as a picture of a chat',
    (data) => asks({ type: 'image_url', image_url: { url: `data:audio/mp3;base64,${data}` } }),
    '/messages/0/content/1/image_url/url',
  ],
  [
    'inline data of Gemini',
    (data) => asks({ inline_data: { mime_type: 'image/png', data } }),
    '/messages/0/content/1/inline_data/data',
  ],
  [
    'sound of a chat',
    (data) => asks({ type: 'input_audio', input_audio: { format: 'wav', data } }),
    '/messages/0/content/1/input_audio/data',
  ],
  [
    'a film of a chat',
    (data) => asks({ type: 'video_url', video_url: { url: `data:video/mp4;base64,${data}` } }),
    '/messages/0/content/1/video_url/url',
  ],
  [
    'an image of MCP, as text',
    (data) => says(result({ type: 'image', data, mimeType: 'image/png' })),
    '/messages/1/content',
  ],
  [
    'audio of MCP, as text',
    (data) => says(result({ type: 'audio', data, mimeType: 'audio/wav' })),
    '/messages/1/content',
  ],
  [
    'a resource of MCP, as text',
    (data) => says(result({ type: 'resource', resource: { uri: 'file:///a', mimeType: 'image/png', blob: data } })),
    '/messages/1/content',
  ],
  [
    'a resource of MCP, as a part',
    (data) => says([{ type: 'resource', resource: { uri: 'file:///a', blob: data } }]),
    '/messages/1/content/0/resource/blob',
  ],
  ['JSON in JSON in JSON', (data) => says(JSON.stringify(result({ type: 'image', data }))), '/messages/1/content'],
  [
    'JSON with escaped slashes',
    (data) => says(result({ type: 'image', data }).replaceAll('/', '\\/')),
    '/messages/1/content',
  ],
  ['JSON with lines in it', (data) => says(result({ type: 'image', data: lines(data, 60) })), '/messages/1/content'],
  [
    'JSON with lines of a mail in it',
    (data) => says(result({ type: 'image', data: lines(data, 76, '\r\n') })),
    '/messages/1/content',
  ],
  ['lines of Python', (data) => says(`b'${lines(data, 76, '\\n')}\\n'`), '/messages/1/content'],
  ['a quoted mail', (data) => says(`> ${lines(data, 76, '\n> ')}`), '/messages/1/content'],
  ['strings of a program', (data) => says(`x = "${lines(data, 76, '" +\n  "')}"`), '/messages/1/content'],
  ['short lines', (data) => says(`see\n${lines(data, 40)}\n`), '/messages/1/content'],
  [
    'a parameter of an address',
    (data) => says(`https://x.example/?d=${encodeURIComponent(data)}`),
    '/messages/1/content',
  ],
  [
    'arguments of a tool',
    (data) => {
      const call = { id: 'c', type: 'function', function: { name: 'f', arguments: JSON.stringify({ data }) } }
      return { messages: [{ role: 'assistant', content: null, tool_calls: [call] }] }
    },
    '/messages/0/tool_calls/0/function/arguments',
  ],
]
