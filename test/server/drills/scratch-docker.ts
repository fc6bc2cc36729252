/** Runs in place of Docker's client on a test's host: the containers of a drill are processes of a real PostgreSQL, on folders of the test. Needs: postgres. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestHost } from '../backup-host.ts'

const ROOT = process.getuid?.() === 0
const USER = ROOT ? '65534:65534' : `${process.getuid?.()}:${process.getgid?.()}`
const AS_SERVER = ROOT ? 'setpriv --reuid=65534 --regid=65534 --clear-groups' : ''

/** Lays it down. What is left of a container is a file with its process; `isBlind`: its look at checksums finds nothing. */
export function layScratchDocker({ root, server }: Pick<TestHost, 'root' | 'server'>, isBlind = false): void {
  const templates = join(import.meta.dirname, '../../../templates/postgres')
  const state = join(root, 'container')
  const script = `#!/bin/sh
bin='${server.program('')}'
export PGPORT=${server.port}
source() { printf '%s\\n' "$@" | sed -n "s#^type=bind,source=\\(.*\\),target=$target\\(,readonly\\)*\\$#\\1#p"; }
end() { [ -f '${state}' ] || return 0; kill -$1 $(head -n 1 '${state}') 2>/dev/null; while kill -0 $(head -n 1 '${state}') 2>/dev/null; do sleep 0.05; done; }
case $1 in
inspect) echo 'image ${USER}' ;;
stop) end INT ;;
rm) end QUIT; rm -f '${state}' ;;
logs) cat '${state}.log' ;;
run)
  case " $* " in *pg_checksums*)
    ${isBlind ? 'exit 0' : ''}
    target=/tappass/cluster; exec ${AS_SERVER} "$bin/pg_checksums" --check --pgdata "$(source "$@")" ;;
  esac
  [ ! -f '${state}' ] || { echo 'the name is taken' >&2; exit 125; }
  target=/tappass/data; data=$(source "$@"); target=/tappass/run; socket=$(source "$@")
  way=$data; while [ "$way" != / ] && [ "$way" != /tmp ]; do chmod a+x "$way"; way=$(dirname "$way"); done
  way=$socket; while [ "$way" != / ] && [ "$way" != /tmp ]; do chmod a+x "$way"; way=$(dirname "$way"); done
  cd "$data"
  [ -e cluster ] || ${AS_SERVER} "$bin/initdb" --pgdata=cluster --username=postgres --auth-local=trust --encoding=UTF8 --locale=C --data-checksums --no-sync >'${state}.log' 2>&1 || exit 1
  ${AS_SERVER} "$bin/postgres" -D "$data/cluster" -c unix_socket_directories="$socket" -c listen_addresses= -c shared_buffers=16MB >>'${state}.log' 2>&1 </dev/null &
  printf '%s\\n%s\\n' $! "$socket" >'${state}' ;;
exec)
  shift; [ "$1" != --interactive ] || shift
  socket='${server.folder}'; [ "$1" != tappass-drill ] || socket=$(tail -n 1 '${state}')
  tool=$2; shift 2
  for word do shift
    case $word in /tappass/run) word=$socket ;; /tappass/etc/*) word='${templates}/'\${word##*/} ;; esac
    set -- "$@" "$word"
  done
  exec "$bin/$tool" "$@" ;;
*) echo "not expected: $*" >&2; exit 64 ;;
esac
`
  writeFileSync(join(root, 'bin/docker'), script, { mode: 0o755 })
}
