/** The settings with which a host that has too little memory for the default ones is a server all the same. */
import { type MemorySettings, memoryLimits, memorySum, SYSTEM_MEGABYTES_MIN } from './memory-limit.ts'
import { hasOpa } from './policy-spec.ts'

/** The floor that is written stays below what is there: another kernel may keep some megabytes more for itself. */
const FLOOR_STEP_MEGABYTES = 64
const FLOOR_MARGIN_MEGABYTES = 32

/** Returns how many instances have room beside everything else and the system; 0 where not even one has. */
function instancesThatFit(settings: MemorySettings, memoryMegabytes: number): number {
  for (let instances = settings.instances; instances > 0; instances -= 1) {
    const sum = memorySum(memoryLimits({ ...settings, instances }, memoryMegabytes), instances)
    if (sum + SYSTEM_MEGABYTES_MIN <= memoryMegabytes) return instances
  }
  return 0
}

/** Returns what to do about too little memory: the exact settings to write where some help. `memoryMegabytesMin` is what the preflight asks for. */
export function memoryRemedy(settings: MemorySettings, memoryMegabytes: number, memoryMegabytesMin: number): string {
  const withOpa = instancesThatFit(settings, memoryMegabytes)
  const embedded = { ...settings, policy: { engine: 'embedded' } } as const
  const isOpaTooMuch = withOpa === 0 && hasOpa(settings)
  const instances = isOpaTooMuch ? instancesThatFit(embedded, memoryMegabytes) : withOpa
  const { postgres, redis } = settings
  if (instances === 0) {
    const hasSizes = [postgres.memoryMegabytes, postgres.sharedBuffersMegabytes, redis.maxMemoryMegabytes].some(Boolean)
    return hasSizes ? 'add memory, or lower the sizes of postgres and redis in host.yaml' : 'add memory'
  }
  const steps = Math.floor((memoryMegabytes - FLOOR_MARGIN_MEGABYTES) / FLOOR_STEP_MEGABYTES)
  const lines = [
    ...(isOpaTooMuch ? ['policy: { engine: embedded }'] : []),
    ...(instances < settings.instances ? [`instances: ${instances}`] : []),
    ...(memoryMegabytes < memoryMegabytesMin
      ? [`preflight: { memoryMegabytesMin: ${steps * FLOOR_STEP_MEGABYTES} }`]
      : []),
  ]
  return `add memory, or write in host.yaml: ${lines.map((line) => `"${line}"`).join(' and ')}`
}
