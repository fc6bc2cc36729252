/** The deploy user of a lab machine: what the page on operation says that it may do, and how it logs in. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { demand, execute, type Output } from './execution.ts'
import { repository, type Server } from './server.ts'

/** Its name where no setting says another. */
export const DEPLOY_USER = 'gebruiker'

/** The commands that the page lists for it. */
export async function documentedCommands(): Promise<readonly string[]> {
  const page = await readFile(join(repository, 'docs/how-to/operate.md'), 'utf8')
  const [, list = ''] = /as `gebruiker`, these commands[\s\S]*?\n\n((?: {4}sudo .*\n)+)/.exec(page) ?? []
  return list.trim().split(/\n */)
}

/** A new pair of keys beside the server's spec: the private one's path, and the line of the public one. */
export async function makeKey({ folder }: Pick<Server, 'folder'>, name: string) {
  const path = join(folder, name)
  await demand(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', `${name}@laptop`, '-f', path])
  return { path, line: (await readFile(`${path}.pub`, 'utf8')).trim() }
}

/** Runs a command as the deploy user over SSH, with that key and no other; a terminal ends what follows a log when its time is over. */
export function asDeployUser({ machine }: Pick<Server, 'machine'>, key: string, command: string): Promise<Output> {
  const isEndless = command.includes('--follow')
  const options = ['BatchMode=yes', 'IdentitiesOnly=yes', 'LogLevel=ERROR', `UserKnownHostsFile=${machine.knownHosts}`]
  const words = ['-i', key, ...options.flatMap((option) => ['-o', option]), `${DEPLOY_USER}@${machine.address}`]
  if (!isEndless) return execute(['ssh', ...words, command])
  return execute(['ssh', '-tt', ...words, command], { timeoutMs: 1_000 })
}
