/** The topics of `tappass doctor`, in the order in which they are told. */
import { access } from './checks/access.ts'
import { database } from './checks/database.ts'
import { docker } from './checks/docker.ts'
import { files } from './checks/files.ts'
import { ingress } from './checks/ingress.ts'
import { machine } from './checks/machine.ts'
import { network } from './checks/network.ts'
import { outside } from './checks/outside.ts'
import { packages } from './checks/packages.ts'
import { preflight } from './checks/preflight.ts'
import { secrets } from './checks/secrets.ts'
import { storage } from './checks/storage.ts'
import { units } from './checks/units.ts'
import type { Topic } from './diagnosis/check.ts'

/** All of them. */
export const TOPICS: readonly Topic[] = [
  preflight,
  machine,
  packages,
  network,
  access,
  files,
  secrets,
  units,
  docker,
  database,
  storage,
  ingress,
  outside,
]
