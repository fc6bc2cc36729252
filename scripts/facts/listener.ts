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
        `ss -Hltnp 2>/dev/null | while read -r state received sent local peer users; do
  port=\${local##*:}
  case " $* " in *" $port "*) ;; *) continue ;; esac
  pid=$(printf %s "$users" | sed -n 's/^[^=]*pid=\\([0-9]*\\).*/\\1/p')
  unit=; [ -z "$pid" ] || unit=$(sed -n '$s/.*\\///p' "/proc/$pid/cgroup" 2>/dev/null)
  printf '%s\\t%s\\t%s\\n' "$port" "$(printf %s "$users" | sed -n 's/[^"]*"\\([^"]*\\)".*/\\1/p')" "$unit"
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
