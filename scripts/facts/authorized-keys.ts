/** Which keys of ours an account may log in with over SSH, and whether sshd would take them. */
import type { Fact } from '../core/host.ts'

/** Ends each line of ours in an authorized_keys file: all others are somebody else's. */
export const KEY_MARK = 'managed-by-tappass'

/** The file, below the account's home. */
export const KEY_FILE = '.ssh/authorized_keys'

/** A folder or file on the way to the keys. sshd passes over keys that others may write. */
type KeyPath = Readonly<{ path: string; uid: number; isWritableByOthers: boolean }>

/**
 * `uid` and `home` are undefined where there is no such account. `lines` are ours, without the mark. `paths` are those that exist: home,
 * folder, file. `isWithoutPassword`: its field is only an exclamation mark, with which sshd without PAM lets nobody in. `others` are further
 * accounts of this host whose file has lines of ours, with these. `sshd` is what it says of the account, undefined where it can't be asked.
 */
export type AuthorizedKeys = Readonly<{
  uid: number | undefined
  home: string | undefined
  lines: readonly string[]
  paths: readonly KeyPath[]
  isWithoutPassword: boolean
  others: readonly Readonly<{ account: string; lines: readonly string[] }>[]
  sshd: Readonly<{ isTakingKeys: boolean; files: readonly string[] }> | undefined
}>

/**
 * $1 is the account, $2 not empty when it is to have keys. What is in somebody's home is read with their rights: a link there leads to
 * nothing that they could not read themselves.
 */
const SCRIPT = `mine=
while IFS=: read -r account _ uid gid _ home _; do
  if [ "$account" = "$1" ] && [ -n "$2" ]; then mine="$uid:$gid:$home"
  elif [ -f "$home/${KEY_FILE}" ] && grep -qs ' ${KEY_MARK}$' -- "$home/${KEY_FILE}"; then
    echo "other $account"; sed -n "/ ${KEY_MARK}$/{s///;s/^/other-line $account /p;}" -- "$home/${KEY_FILE}"; fi
done </etc/passwd
[ -n "$2" ] || exit 0
[ -n "$mine" ] || mine=$(getent passwd "$1" | cut -d: -f3,4,6)
[ -n "$mine" ] || exit 0
IFS=: read -r uid gid home <<END
$mine
END
echo "uid $uid"; echo "home $home"
cd / && stat -L -c 'path %A %u %n' -- "$home" "$home/.ssh" "$home/${KEY_FILE}" 2>/dev/null
setpriv --reuid="$uid" --regid="$gid" --clear-groups sed -n '/ ${KEY_MARK}$/{s///;s/^/line /p;}' -- "$home/${KEY_FILE}" 2>/dev/null
sed -n "s/^$1:!!*\\**:.*/locked/p" /etc/shadow
sshd -T -C "user=$1" 2>/dev/null | grep -iE '^(authorizedkeysfile|pubkeyauthentication) '
:`

function pathOf(words: string): readonly KeyPath[] {
  const [, mode = '', uid, path = ''] = /^(\S+) (\d+) (.+)$/.exec(words) ?? []
  return path === '' ? [] : [{ path, uid: Number(uid), isWritableByOthers: mode[5] === 'w' || mode[8] === 'w' }]
}

/** The keys of an account. Where it is to have none, only who has lines of ours is asked. */
export function authorizedKeysFact(name: string, isWanted: boolean): Fact<AuthorizedKeys> {
  return {
    query: { argv: ['sh', '-c', SCRIPT, 'sh', name, isWanted ? 'wanted' : ''], effect: 'read' },
    parse: ({ stdout }) => {
      const rows = stdout.split('\n').map((row) => [row.split(' ')[0] ?? '', row.slice(row.indexOf(' ') + 1)] as const)
      const all = (word: string) => rows.filter(([key]) => key === word).map(([, value]) => value)
      const [uid, home, files] = [all('uid')[0], all('home')[0], all('authorizedkeysfile')[0]]
      return {
        uid: uid === undefined ? undefined : Number(uid),
        home,
        lines: all('line'),
        paths: all('path').flatMap(pathOf),
        isWithoutPassword: rows.some(([key]) => key === 'locked'),
        others: all('other').map((account) => ({
          account,
          lines: all('other-line').flatMap((row) =>
            row.startsWith(`${account} `) ? [row.slice(account.length + 1)] : [],
          ),
        })),
        sshd:
          files === undefined
            ? undefined
            : { isTakingKeys: all('pubkeyauthentication')[0] !== 'no', files: files.split(' ') },
      }
    },
  }
}
