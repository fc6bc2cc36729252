/** The lock of a data folder: one `tappass up` at a time. The lock of a dead owner is taken over. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import { identifyProcess, isRunning, type ProcessIdentity } from '../core/process-identity.ts'

type Owner = Readonly<{ owner: ProcessIdentity; gateway?: ProcessIdentity }>

/** `recordGateway` stores the child process, so that the next owner can stop it if it outlives this process. */
export type FolderLock = Readonly<{ recordGateway: (pid: number) => void; unlock: () => void }>

function readOwner(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(readFileSync(path, 'utf8')) as Owner
    return typeof owner.owner?.pid === 'number' ? owner : undefined
  } catch {
    return undefined
  }
}

function isLockHeld(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path)
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return true
    throw error
  }
}

/** Removes the lock of a dead owner and kills the gateway that it left behind; SIGKILL is safe, the ledger is durable. */
function takeOver(path: string, aside: string, dead: Owner | undefined): void {
  if (dead?.gateway !== undefined && isRunning(dead.gateway)) process.kill(dead.gateway.pid, 'SIGKILL')
  renameSync(path, aside)
  rmSync(aside, { force: true })
}

/** Locks a folder. Throws a `Failure` (exit 4) that names the owner while it is running. */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, 'lock')
  const temporary = join(folder, `lock.${process.pid}`)
  const write = (owner: Owner) => writeFileSync(temporary, `${JSON.stringify(owner)}\n`, { mode: 0o600 })
  const owner = identifyProcess(process.pid)
  write({ owner })
  while (isLockHeld(temporary, path)) {
    const holder = readOwner(path)
    if (holder !== undefined && isRunning(holder.owner)) {
      rmSync(temporary)
      throw new Failure(
        {
          what: `another tappass up (process ${holder.owner.pid}) is using the data folder`,
          where: folder,
          next: `stop it (kill ${holder.owner.pid}), or use another folder: tappass up --data DIR`,
        },
        EXIT_CODE.locked,
      )
    }
    takeOver(path, `${temporary}.stale`, holder)
  }
  rmSync(temporary)
  return {
    recordGateway: (pid) => {
      write({ owner, gateway: identifyProcess(pid) })
      renameSync(temporary, path)
    },
    unlock: () => {
      if (readOwner(path)?.owner.pid === owner.pid) rmSync(path, { force: true })
    },
  }
}
