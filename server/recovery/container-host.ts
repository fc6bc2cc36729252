/** The host that a process of ours runs on, with its own database in its container. */
import { join } from 'node:path'
import { ROLE } from '../../contract/database-role.ts'
import { postgresArchive } from '../adapters/container/postgres-archive.ts'
import { postgresContainer } from '../adapters/container/postgres-container.ts'
import { postgresRestore } from '../adapters/container/postgres-restore.ts'
import { systemClock } from '../adapters/system.ts'
import { type BackupHost, CONTAINER, DATABASE } from './backup-host.ts'

/** Options of the command line of such a process, for `parseArgs`. */
export const HOST_OPTIONS = {
  root: { type: 'string' },
  port: { type: 'string' },
  credentials: { type: 'string' },
} as const

/** Returns the host as the options say it. `log` takes a line for people. */
export function containerHost(
  { root = '', port = '5432', credentials }: Readonly<{ [Name in keyof typeof HOST_OPTIONS]?: string | undefined }>,
  log: BackupHost['log'],
): BackupHost {
  const restoreTool = postgresRestore(CONTAINER, ROLE)
  return {
    ...{ root, credentials, port: Number(port), release: join(import.meta.dirname, '../..') },
    dumpTool: postgresContainer(CONTAINER, DATABASE.live, ROLE.reader),
    restoreTool,
    archiveTool: postgresArchive(CONTAINER, ROLE.archive, restoreTool.administer),
    ...{ clock: systemClock, log },
  }
}
