/** The commands that write the log on the host: each entry is a file that is there whole or not at all. */
import { HOST_PATH } from '../../contract/path.ts'
import type { Command } from '../core/host.ts'
import { SUDO_USER_SCRIPT } from '../facts/account.ts'

/**
 * `$1` is the folder, `$2` what the entry says besides. `keep` stores standard input under its digest (`$sum`); `append` writes an entry
 * behind `$last`.
 */
const PRELUDE = String.raw`umask 077; d=$1; fields=$2; mkdir -p -m 0700 -- "$d" "$d/entries" "$d/content"
keep() { cat >"$d/.content"; sum=$(sha256sum <"$d/.content"); sum=${'$'}{sum%% *}; sync -- "$d/.content"; mv -f -- "$d/.content" "$d/content/$sum"; }
last=$(ls -- "$d/entries" | tail -n 1); number=${'$'}{last%%-*}; number=$(expr "${'$'}{number:-0}" + 0 || :)
append() {
  previous=; [ -z "$last" ] || { previous=$(sha256sum <"$d/entries/$last"); previous=${'$'}{previous%% *}; }
  printf '{"number":%d,"kind":"%s","at":"%s","previous":"%s"%s}\n' "$2" "$1" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$previous" "$3" >"$d/.entry"
  sync -- "$d/.entry"; last=$(printf '%06d-%s.json' "$2" "$1"); mv -f -- "$d/.entry" "$d/entries/$last"; sync -- "$d/entries"
}`

const BEGIN = String.raw`${PRELUDE}
keep; record=$sum
case $last in *-begun.json) append interrupted "$number" '' ;; esac
sudo=$(sh -c "$3" | tr -cd 'A-Za-z0-9._@-')
append begun "$((number + 1))" "$fields,\"sudoUser\":\"$sudo\",\"record\":\"$record\""`

/** `$3` are images, `$4` files of secrets, both in words; all others the files that the run writes. */
const END = String.raw`${PRELUDE}
case $last in *-begun.json) ;; *) echo 'the run has no begin in the log' >&2; exit 75 ;; esac
keep; record=$sum; images=$3 secrets=$4; shift 4
for p do shift; if [ -f "$p" ] && [ ! -h "$p" ]; then set -- "$@" "$p"; fi; done
{
  echo '== files'; [ $# = 0 ] || stat -c '%a %U:%G %n' -- "$@"
  echo '== digests'; [ $# = 0 ] || sha256sum -- "$@" | while read -r s p; do [ -e "$d/content/$s" ] || keep <"$p"; echo "$s $p"; done
  echo '== secrets'; for p in $secrets; do [ ! -f "$p" ] || sha256sum -- "$p"; done
  echo '== images'; [ -z "$images" ] || docker image inspect --format '{{.Id}} {{json .RepoTags}} {{json .RepoDigests}}' -- $images 2>/dev/null || :
  echo '== units'; systemctl show --no-pager --all -p Id,ActiveState,SubState,UnitFileState -- 'tappass*' docker.service 2>/dev/null || :
} >"$d/.state"
keep <"$d/.state"; rm -f -- "$d/.state"
append ended "$number" "$fields,\"record\":\"$record\",\"state\":\"$sum\""`

type Fields = Readonly<Record<string, string | number>>

function fieldsText(fields: Fields): string {
  return `,${JSON.stringify(fields).slice(1, -1)}`
}

/** Returns the command that notes the begin of a run, and that the run before was interrupted if it has no end. `record` is kept beside it. */
export function beginCommand(fields: Fields, record: string): Command {
  const args = [HOST_PATH.historyFolder, fieldsText(fields), SUDO_USER_SCRIPT]
  return { argv: ['sh', '-euc', BEGIN, 'sh', ...args], effect: 'change', stdin: record }
}

/** What is looked at on the host at the end of a run. */
export type EndSubjects = Readonly<{
  files: readonly string[]
  secrets: readonly string[]
  images: readonly string[]
}>

/** Returns the command that notes the end of a run, with what is on the host then. */
export function endCommand(fields: Fields, record: string, { files, secrets, images }: EndSubjects): Command {
  const args = [HOST_PATH.historyFolder, fieldsText(fields), images.join(' '), secrets.join(' '), ...files]
  return { argv: ['sh', '-euc', END, 'sh', ...args], effect: 'change', stdin: record }
}
