/** The sockets that systemd has opened for the process (sd_listen_fds(3)), by the names of their FileDescriptorName=. */

/** The first descriptor that systemd passes. */
const FIRST_FD = 3

/** The name of the socket for SPIFFE identities; any other is the ordinary one. */
const SPIFFE_SOCKET = 'spiffe'

/** Descriptors of the two sockets, as far as there are any. */
export type Sockets = Readonly<{ ordinary: number | undefined; spiffe: number | undefined }>

/** The settings that it is about. */
export type SocketSettings = Readonly<{
  LISTEN_FDS?: number | undefined
  LISTEN_PID?: number | undefined
  LISTEN_FDNAMES?: string | undefined
}>

/** Returns the descriptors that are meant for the process `pid`. */
export function socketsOf({ LISTEN_FDS = 0, LISTEN_PID, LISTEN_FDNAMES = '' }: SocketSettings, pid: number): Sockets {
  const names = LISTEN_FDNAMES.split(':')
  const descriptors = Array.from({ length: LISTEN_PID === pid ? LISTEN_FDS : 0 }, (_, at) => at)
  const find = (isWanted: (name: string | undefined) => boolean): number | undefined => {
    const at = descriptors.find((each) => isWanted(names[each]))
    return at === undefined ? undefined : FIRST_FD + at
  }
  return { ordinary: find((name) => name !== SPIFFE_SOCKET), spiffe: find((name) => name === SPIFFE_SOCKET) }
}
