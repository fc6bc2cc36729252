/**
 * Runs test files as `node --test` does, and begins with them in the order given, where that one would sort them by name: a long
 * file that is begun last keeps one core waiting for it. Words: how many at once, the longest time of a test in milliseconds (0: no
 * limit), the file for the report, what each file's process imports first, and the files.
 */
import { createWriteStream } from 'node:fs'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { reportTests } from './test-reporter.ts'

function runFiles([concurrency = '', timeoutMs = '', reportFile = '', guard = '', ...files]: readonly string[]): void {
  const interrupt = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort())
  const events = run({
    ...{ concurrency: Number(concurrency), files, signal: interrupt.signal },
    ...(Number(timeoutMs) > 0 ? { timeout: Number(timeoutMs) } : {}),
    execArgv: ['--import', guard],
  })
  events.on('test:fail', () => {
    process.exitCode = 1
  })
  events.compose(reportTests).pipe(createWriteStream(reportFile))
  events.compose(new spec()).pipe(process.stdout)
}

if (import.meta.main) runFiles(process.argv.slice(2))
