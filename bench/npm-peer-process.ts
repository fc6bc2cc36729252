/** The process that an npm peer judges in: node bench/npm-peer-process.ts FILE PACKAGES. A line of JSON is a text, a line says what was said. */
import { createInterface } from 'node:readline'
import type { LoadJudge } from './npm-peer.ts'

const [file = '', packages = ''] = process.argv.slice(2)
const { loadJudge } = (await import(file)) as { loadJudge: LoadJudge }
const judge = await loadJudge(packages)
for await (const line of createInterface({ input: process.stdin })) {
  const text = JSON.parse(line) as string
  const before = process.cpuUsage()
  const said = await judge(text)
  const { user, system } = process.cpuUsage(before)
  process.stdout.write(`${JSON.stringify({ us: user + system, said })}\n`)
}
