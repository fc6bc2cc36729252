/** Writes server/normalization/letter-form-table.ts: node test/server/normalization/write-letter-forms.ts */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { letterFormModule } from './letter-form-source.ts'

if (import.meta.main) {
  writeFileSync(join(import.meta.dirname, '../../../server/normalization/letter-form-table.ts'), letterFormModule())
}
