/** Keeps two `tappass up` out of one data folder. The lock of a dead owner is taken over. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { identify, isRunning, type ProcessIdentity } from '../core/process-identity.ts'

type Owner = Readonly<{ owner: ProcessIdentity; gateway?: ProcessIdentity }>

/** `nameGateway` records the child, so that the next owner can end one that outlived this process. */
export type FolderLock = Readonly<{ nameGateway: (pid: number) => void; release: () => void }>

function readOwner(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Owner
    return typeof owner.owner?.pid === 'number' ? owner : undefined
  } catch {
    return undefined
  }
}

function isTaken(fresh: string, path: string): boolean {
  try {
    linkSync(fresh, path)
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return true
    throw error
  }
}

/** Moves a dead owner's lock away, ending the gateway that it left behind; SIGKILL is safe, the ledger is durable. */
function takeOver(path: string, aside: string, dead: Owner | undefined): void {
  if (dead?.gateway !== undefined && isRunning(dead.gateway)) process.kill(dead.gateway.pid, 'SIGKILL')
  renameSync(path, aside)
  rmSync(aside, { force: true })
}

/** Locks a folder. Throws a Failure (exit 4) that names the living owner. */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, 'lock')
  const fresh = join(folder, `lock.${process.pid}`)
  const write = (owner: Owner) => writeFileSync(fresh, `${JSON.stringify(owner)}\n`, { mode: 0o600 })
  const owner = identify(process.pid)
  write({ owner })
  while (isTaken(fresh, path)) {
    const holder = readOwner(path)
    if (holder !== undefined && isRunning(holder.owner)) {
      rmSync(fresh)
      throw new Failure(
        {
          what: `another tappass up (process ${holder.owner.pid}) uses this data folder`,
          where: folder,
          next: `stop it (kill ${holder.owner.pid}), or give this one its own folder: tappass up --data DIR`,
        },
        EXIT_CODE.locked,
      )
    }
    takeOver(path, `${fresh}.stale`, holder)
  }
  rmSync(fresh)
  return {
    nameGateway: (pid) => {
      write({ owner, gateway: identify(pid) })
      renameSync(fresh, path)
    },
    release: () => {
      if (readOwner(path)?.owner.pid === owner.pid) rmSync(path, { force: true })
    },
  }
}
