/** What listens on TCP ports of a host. */
import type { Fact } from '../core/host.ts'

/** The listener on a port: its program, and its systemd unit (from the control group); empty where they cannot be seen. */
export type Listener = Readonly<{ port: number; program: string; unit: string }>

/** The listeners on these ports, of both families. */
export function listenersFact(ports: readonly number[]): Fact<readonly Listener[]> {
  return {
    query: {
      argv: [
        'sh',
        '-c',
        // Without further processes: a server listens on some dozen ports.
        `ss -Hltnp 2>/dev/null | while read -r state received sent local peer users; do
  port=\${local##*:} program= unit=
  case " $* " in *" $port "*) ;; *) continue ;; esac
  case $users in *'"'*) program=\${users#*'"'} program=\${program%%'"'*} ;; esac
  case $users in *pid=*) pid=\${users#*pid=}; while read -r row; do unit=\${row##*/}; done 2>/dev/null <"/proc/\${pid%%[!0-9]*}/cgroup" ;; esac
  printf '%s\\t%s\\t%s\\n' "$port" "$program" "$unit"
done`,
        'sh',
        ...ports.map(String),
      ],
      effect: 'read',
    },
    parse: ({ stdout }) =>
      stdout
        .split('\n')
        .filter((row) => row !== '')
        .map((row) => row.split('\t'))
        .map(([port, program = '', unit = '']) => ({ port: Number(port), program, unit })),
  }
}
