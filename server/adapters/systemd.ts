/**
 * Notifies systemd of the state of the process (sd_notify(3)), over the socket that it names. Uses Node's FFI where
 * there is one, because NotifyAccess=main accepts messages of the main process only; else `systemd-notify`.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Sends one state, such as `READY=1`. Rejects when it could not be sent. */
export type Notify = (state: string) => Promise<void>

/** Constants of Linux: sys/socket.h. */
const AF_UNIX = 1
const SOCK_DGRAM_CLOEXEC = 0o2000002
const MSG_NOSIGNAL = 0x4000

/** Given NOTIFY_SOCKET (a path, or an abstract name that begins with @), returns the function that sends to it. */
export async function createNotify(socket: string): Promise<Notify> {
  return (await throughLibc(socket)) ?? throughProgram(socket)
}

async function throughLibc(socket: string): Promise<Notify | undefined> {
  try {
    const { dlopen } = await import('node:ffi')
    const { functions: libc } = dlopen('libc.so.6', {
      socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
      sendto: { arguments: ['i32', 'buffer', 'u64', 'i32', 'buffer', 'u32'], return: 'i64' },
      close: { arguments: ['i32'], return: 'i32' },
    })
    const address = socketAddress(socket)
    return async (state) => {
      const descriptor = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0)
      if (descriptor < 0) throw new Error('no socket for systemd')
      const message = Buffer.from(state)
      const sent = libc.sendto(descriptor, message, BigInt(message.length), MSG_NOSIGNAL, address, address.length)
      libc.close(descriptor)
      if (Number(sent) !== message.length) throw new Error(`systemd did not take ${state}`)
    }
  } catch {
    // Node 24 has no node:ffi, and other systems have another libc.
    return undefined
  }
}

/** struct sockaddr_un: the family in the machine's order, then the path; an abstract name begins with a zero byte. */
function socketAddress(socket: string): Buffer {
  const path = socket.startsWith('@') ? `\0${socket.slice(1)}` : `${socket}\0`
  const address = Buffer.alloc(2 + Buffer.byteLength(path))
  address.writeUInt16LE(AF_UNIX)
  address.write(path, 2)
  return address
}

function throughProgram(socket: string): Notify {
  const run = promisify(execFile)
  return async (state) => {
    await run('systemd-notify', ['--pid=parent', state], { env: { NOTIFY_SOCKET: socket, PATH: '/usr/bin:/bin' } })
  }
}
