/** The public keys that an account may log in with over SSH. Lines that others put into its file stay as they are. */

import { createHash } from 'node:crypto'
import { changeCommand, scriptCommand } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import { commandLine, type Guard } from '../core/guard.ts'
import type { Command } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Change, Resource } from '../core/resource.ts'
import { type AuthorizedKeys, authorizedKeysFact, KEY_FILE, KEY_MARK } from '../facts/authorized-keys.ts'
import { REMOVAL_REASON } from '../files/removal.ts'

/** `keys` are lines of `.pub` files. With none, lines of ours go. */
export type AuthorizedKeysOptions = Readonly<{ name: string; keys: readonly string[] }>

/**
 * Run with the account's own rights: root writes nothing into a folder whose owner may put a link there. Ours come first, so that a last line
 * without an end stays one line. A file that has nothing left goes.
 */
const WRITE_AS_OWNER = `umask 077; cd "$HOME"; mkdir -p .ssh
chmod go-w . .ssh
new=.ssh/.authorized_keys.tappass-new; rm -f $new
{ cat; [ ! -f ${KEY_FILE} ] || sed '/ ${KEY_MARK}$/d' ${KEY_FILE}; } >$new
sync $new; if [ -s $new ]; then mv -fT $new ${KEY_FILE}; else rm -f $new ${KEY_FILE}; fi`

/** A program that changes its rights takes the environment with it, so it gets a new one. */
const BECOME_OWNER = `home=$(getent passwd "$1" | cut -d: -f6); group=$(id -g -- "$1"); cd /
exec setpriv --reuid="$1" --regid="$group" --init-groups env -i PATH="$PATH" LC_ALL=C HOME="$home" sh -euc "$2"`

function writeCommand(name: string, keys: readonly string[]): Command {
  return scriptCommand(BECOME_OWNER, [name, WRITE_AS_OWNER], keys.map((line) => `${line} ${KEY_MARK}\n`).join(''))
}

/** Written back with the rights of its owner, too: what stands in that folder is never root's to copy. */
function guardOf(name: string, lines: readonly string[]): Guard {
  return { paths: [], units: [], reload: commandLine(writeCommand(name, lines)) }
}

/** As ssh-keygen -l and sshd's log show a key. */
function describeKey(line: string): string {
  const [type = '', key = '', ...comment] = line.split(' ')
  const sum = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')
  return [type.replace(/^(ssh|ecdsa-sha2|sk-ssh)-/, ''), `SHA256:${sum}`, ...comment].join(' ')
}

/** Throws a `Failure` (exit 5) where the keys would be written and nobody could log in with them. */
function assertUsable(name: string, { uid, home, paths, sshd }: AuthorizedKeys): void {
  const foreign = paths.find((each) => each.uid !== uid)
  if (foreign !== undefined || paths[0]?.path !== home) {
    const path = foreign?.path ?? home ?? ''
    throw refusedFailure(
      `the keys of ${name} cannot be written`,
      foreign === undefined
        ? `its home ${path} does not exist`
        : `${path} belongs to account ${foreign.uid}, not to it`,
      foreign === undefined
        ? `${quoteAll(['mkhomedir_helper', name])}   (on the host)`
        : `${quoteAll(['chown', '-R', `${name}:`, path])}   (on the host)`,
    )
  }
  if (sshd === undefined) return
  const isRead = sshd.files.some((file) => [KEY_FILE, `%h/${KEY_FILE}`, `${home}/${KEY_FILE}`].includes(file))
  if (isRead && sshd.isTakingKeys) return
  throw refusedFailure(
    `sshd would not take the keys of ${name}`,
    isRead ? 'PubkeyAuthentication is no' : `it reads keys from ${sshd.files.join(' ')}, not from ~/${KEY_FILE}`,
    `see /etc/ssh/sshd_config on the host; or take deployUser.keys out of host.yaml, and give ${name} its keys there`,
  )
}

function passwordChanges(name: string, isNeeded: boolean): readonly Change[] {
  if (!isNeeded) return []
  const reason =
    'it never had a password and shall have none; but "!" in its place locks the account for sshd without PAM'
  return [
    { action: `set the password of ${name} to "*"`, reason, commands: [changeCommand('usermod', '-p', '*', name)] },
  ]
}

function keyChanges(name: string, keys: readonly string[], { lines, paths }: AuthorizedKeys): readonly Change[] {
  const missing = keys.filter((line) => !lines.includes(line)).map((line) => `${describeKey(line)} is not there`)
  const surplus = lines.filter((line) => !keys.includes(line)).map((line) => `${describeKey(line)} is not wanted`)
  const open = paths.filter((each) => each.isWritableByOthers).map(({ path }) => `${path} may be written by others`)
  const reasons = [...missing, ...surplus, ...open]
  if (reasons.length === 0 && keys.length === lines.length) return []
  const reason = reasons.length === 0 ? 'a key is there twice' : reasons.join('; ')
  const change = { action: `let ${name} log in with its keys`, reason, commands: [writeCommand(name, keys)] } as const
  // What only adds keys cuts nobody off.
  return [surplus.length === 0 ? change : { ...change, guard: guardOf(name, lines) }]
}

/** The keys. An account that has lines of ours and is not the one gives them up. What takes a key away is guarded. */
export function authorizedKeys({ name, keys }: AuthorizedKeysOptions): Resource {
  const isWanted = keys.length > 0
  return {
    id: `authorized-keys:${name}`,
    absent: async (getFact) => {
      // Asked without keys, it names every account that has lines of ours.
      const { others: owners } = await getFact(authorizedKeysFact(name, false))
      return owners.map(({ account: owner }) => ({
        action: `take our keys from ${owner}`,
        reason: REMOVAL_REASON,
        commands: [writeCommand(owner, [])] as const,
      }))
    },
    plan: async (getFact) => {
      const state = await getFact(authorizedKeysFact(name, isWanted))
      const removals = state.others.map(({ account: other, lines }) => ({
        action: `take our keys from ${other}`,
        reason: other === name ? 'deployUser has no keys any more' : `the deploy user is ${name}`,
        commands: [writeCommand(other, [])] as const,
        guard: guardOf(other, lines),
      }))
      if (!isWanted) return removals
      if (state.uid !== undefined) assertUsable(name, state)
      const isLocked = state.isWithoutPassword || state.uid === undefined
      return [...removals, ...passwordChanges(name, isLocked), ...keyChanges(name, keys, state)]
    },
  }
}
