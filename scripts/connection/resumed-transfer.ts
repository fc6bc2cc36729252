/**
 * Files on their way to a host: the host keeps what has arrived, by the digest of the whole, so that a transfer that was cut goes on behind it.
 * What they are for begins only when all has arrived and is what was meant.
 */
import { HOST_PATH } from '../../contract/path.ts'
import { resumableOf, scriptCommand, within } from '../core/command.ts'
import type { Command, Output, Resumable, Runner } from '../core/host.ts'

/** Some hundred megabytes over a slow line. */
const SEND_MINUTES = 90

/** What has arrived is not the whole: it is forgotten. */
const DAMAGED_CODE = 78

/**
 * Prints how much has arrived; a file that has arrived whole has the name without its ending. Who wrote to it over a connection that the host still takes for
 * alive is ended: the lock of the host is this run's.
 */
const LOOK_SCRIPT = `[ -e "$1" ] || ln -- "\${1%.part}" "$1" 2>/dev/null || { echo 0; exit; }
flock -n -- "$1" true || { kill -- "$(cat -- "$1.pid")" 2>/dev/null || :; flock -w 10 -- "$1" true; }
bytes=$(stat -c %s -- "$1")
[ "$bytes" -le "$2" ] || { rm -f -- "$1" "\${1%.part}"; bytes=0; }
echo "$bytes"`

/** Without -e: a connection that is lost ends the input as its end does. */
const SEND_SCRIPT = `umask 077; mkdir -p -- "\${1%/*}"; exec 8>>"$1"
flock -n 8 && [ "$(stat -c %s -- "$1")" = "$3" ] || { echo 'another run is sending it' >&2; exit 75; }
exec 3<&0; cat <&3 >&8 3<&- & echo $! >"$1.pid"; exec 3<&-
wait $!
bytes=$(stat -c %s -- "$1")
[ "$bytes" -ge "$4" ] || { echo "only $bytes of $4 bytes have arrived" >&2; exit 77; }
found=$(sha256sum <"$1")
[ "\${found%% *}" = "$2" ] || { rm -f -- "$1" "\${1%.part}"; echo "what has arrived has the SHA-256 \${found%% *}, not $2" >&2; exit ${DAMAGED_CODE}; }`

/** Once used it is not needed any more, however that ended. */
const USE_SCRIPT = `file=$1; shift; code=0; "$@" <"$file" || code=$?; rm -f -- "$file" "$file.pid"; exit "$code"`

function partialPath({ sha256 }: Resumable): string {
  return `${HOST_PATH.sentFilesFolder}/${sha256}.part`
}

function sendCommand(input: Resumable, offset: number): Command {
  const args = [partialPath(input), input.sha256, `${offset}`, `${input.bytes()}`]
  const stdin = { open: () => input.openAt(offset) }
  return within(SEND_MINUTES, {
    ...scriptCommand(SEND_SCRIPT, args, stdin),
    argv: ['sh', '-uc', SEND_SCRIPT, 'sh', ...args],
  })
}

async function send(run: Runner, input: Resumable): Promise<Output> {
  const looked = await run(scriptCommand(LOOK_SCRIPT, [partialPath(input), `${input.bytes()}`]))
  return looked.code === 0 ? await run(sendCommand(input, Number(looked.stdout))) : looked
}

/** Returns a runner that sends what may be sent in more than one go before the command is run, and has it read what has arrived. */
export function resuming(run: Runner): Runner {
  return async (command, onLine) => {
    const { stdin, ...rest } = command
    const input = await resumableOf(stdin)
    if (input === undefined) return await run(command, onLine)
    const first = await send(run, input)
    // What had arrived before may have been damaged, as by a power cut.
    const sent = first.code === DAMAGED_CODE ? await send(run, input) : first
    if (sent.code !== 0) return sent
    return await run({ ...rest, argv: ['sh', '-c', USE_SCRIPT, 'sh', partialPath(input), ...command.argv] }, onLine)
  }
}
