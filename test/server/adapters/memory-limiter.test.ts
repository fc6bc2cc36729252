/** The limiter within one process. */
import { createMemoryLimiter } from '../../../server/adapters/memory-limiter.ts'
import { testLimiter } from './limiter-contract.ts'

testLimiter('memory', async () => createMemoryLimiter())
