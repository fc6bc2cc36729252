/** The limiter within one process. */
import { makeMemoryLimiter } from '../../../server/adapters/memory-limiter.ts'
import { testLimiter } from './limiter-contract.ts'

testLimiter('memory', async () => makeMemoryLimiter())
