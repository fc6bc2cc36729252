/** The commands that a page tells to type: the lines of its `sh` blocks, and what stands in code in the rows of its tables. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Returns the text of a page of docs. */
export function readPage(path: string): string {
  return readFileSync(join(import.meta.dirname, '../../docs', path), 'utf8')
}

const PROGRAMS =
  /^(?:\.\/tappass|ssh|ssh-keygen|systemctl|journalctl|df|du|ls|docker|dpkg|apt-get|ss|ip|nft|free|uptime|timedatectl) /

/** Returns each of them once, without its remark. */
export function commandsOf(page: string): readonly string[] {
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, text = '']) => text.trim().split('\n'))
  const cells = page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text))
    .filter((text) => PROGRAMS.test(`${text} `) && !/^[\w-]+$/.test(text))
  return [...new Set([...blocks, ...cells].map((line) => line.replace(/ +#.*$/, '').trim()))]
}

/** Returns the words of a command of the toolkit, as a shell would: this page needs no more than quotes. */
export function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}
