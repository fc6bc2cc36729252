/** A process of the host's release in a transient unit, as root in a sandbox, with the host's secrets as credentials: what backups, drills and moves of data share. */
import { HOST_PATH } from '../../contract/path.ts'
import { quote } from '../core/quoting.ts'
import { credentialPaths } from '../secrets/credential.ts'

/** One at a time of backups, restorations, drills and moves of data, whoever began it: a timer, or one of the verbs. */
const LOCK = `${HOST_PATH.backupFolder}/.lock`

/** Returns the words that run a program with the lock held. Exit code 4: another one has it. `waitSeconds`: it is waited for that long. */
export function lockWords(waitSeconds?: number): string {
  const wait = waitSeconds === undefined ? '--nonblock' : `--wait ${waitSeconds}`
  return `/usr/bin/flock --exclusive ${wait} --conflict-exit-code 4 --no-fork ${LOCK}`
}

/** Returns the words that run a process of the release in the folder that they run in (`server/backup.ts`). */
export function nodeWords(entry: string): string {
  return `${HOST_PATH.nodeProgram} --disable-warning=ExperimentalWarning ${entry}`
}

/** The lines of a script that add the property which loads a credential, from where it is, to its arguments. */
function credentialProperty(id: string): string {
  const [encrypted, plain] = credentialPaths(id)
  return `if [ -e ${quote(encrypted)} ]; then set -- "$@" --property=LoadCredentialEncrypted=${id}:${encrypted}
elif [ -e ${quote(plain)} ]; then set -- "$@" --property=LoadCredential=${id}:${plain}; fi`
}

/** Of each such process. What it makes is root's alone: the lock, too, stands beside backups. */
const PROPERTIES = [
  `Environment=DOCKER_CONFIG=${HOST_PATH.dockerConfigFolder}`,
  'UMask=0077',
  'LimitCORE=0',
  'NoNewPrivileges=yes',
  'ProtectSystem=strict',
]

/** `properties` are those of the unit beside the ones that all have, `program` is what it runs, in words of a shell; `words` are its arguments, and `more` of them as the script has them (`$told`). */
export type SandboxedProcess = Readonly<{
  properties: readonly string[]
  credentialIds: readonly string[]
  program: string
  words: readonly string[]
  more?: string
}>

/** Returns the lines of a script that become the unit. The process gets the folder of its credentials as `--credentials`. */
export function sandboxScript({ properties, credentialIds, program, words, more }: SandboxedProcess): string {
  const started = `exec ${program} "$@" --credentials "$CREDENTIALS_DIRECTORY"`
  const given = [...words.map(quote), ...(more === undefined ? [] : [more])].join(' ')
  return `set --
${credentialIds.map(credentialProperty).join('\n')}
exec systemd-run --quiet --pipe --wait --collect --service-type=exec \\
  ${[...PROPERTIES, ...properties].map((property) => `--property=${quote(property)}`).join(' ')} "$@" \\
  /bin/sh -c ${quote(started)} sh ${given} </dev/null
`
}
