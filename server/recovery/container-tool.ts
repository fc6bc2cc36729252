/** The tools of the host's own database, in its container. */
import { ROLE } from '../../contract/database-role.ts'
import { postgresArchive } from '../adapters/container/postgres-archive.ts'
import { postgresContainer } from '../adapters/container/postgres-container.ts'
import { postgresRestore } from '../adapters/container/postgres-restore.ts'
import { type BackupHost, CONTAINER, DATABASE } from './backup-host.ts'

/** Returns them. */
export function containerTools(): Pick<BackupHost, 'dumpTool' | 'restoreTool' | 'archiveTool'> {
  const restoreTool = postgresRestore(CONTAINER, ROLE)
  return {
    dumpTool: postgresContainer(CONTAINER, DATABASE.live, ROLE.reader),
    restoreTool,
    archiveTool: postgresArchive(CONTAINER, ROLE.archive, restoreTool.administer),
  }
}
