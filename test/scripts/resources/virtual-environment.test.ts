/** Python packages by their hashes: a real environment, from wheels made here, without a network. Needs: python, mkdocs. On one Node: Python does the work. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { measureFile } from '../../../scripts/artifacts/artifact-measurement.ts'
import { virtualEnvironment } from '../../../scripts/resources/virtual-environment.ts'
import { applyHere, factsHere, here, scratch } from '../known-host.ts'

const MAKE_WHEEL = `import hashlib, sys, zipfile
path = sys.argv[1]
with zipfile.ZipFile(path, 'w') as wheel:
    wheel.writestr('lab_word.py', "WORD = 'here'\\n")
    wheel.writestr('lab_word-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: lab-word\\nVersion: 1.0\\n')
    wheel.writestr('lab_word-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr('lab_word-1.0.dist-info/RECORD', '')
print(hashlib.sha256(open(path, 'rb').read()).hexdigest())`

const prepared = async (folder: string) => {
  const wheels = join(folder, 'wheels')
  mkdirSync(wheels)
  const name = 'lab_word-1.0-py3-none-any.whl'
  const digest = execFileSync('python3', ['-c', MAKE_WHEEL, join(wheels, name)], { encoding: 'utf8' }).trim()
  execFileSync('tar', ['-czf', join(folder, 'wheels.tar.gz'), '-C', wheels, '.'])
  return {
    path: join(folder, 'opt', 'environment'),
    requirements: `lab-word==1.0 --hash=sha256:${digest}\n`,
    wheels: await measureFile(join(folder, 'wheels.tar.gz')),
    proxy: [],
    remedy: 'site.wheels',
  }
}

test('virtual environment: made from wheels, complete or absent, made anew where it does not fit', async (context) => {
  const options = await prepared(scratch(context))
  const wanted = virtualEnvironment(options)
  const reasons = async () => (await applyHere(wanted)).map(({ reason }) => reason)
  assert.deepEqual(await reasons(), ['it is absent'])
  const ask = ['-c', 'import lab_word, sys; print(lab_word.WORD, sys.prefix)']
  const said = execFileSync(join(options.path, 'bin/python'), ask, { encoding: 'utf8' })
  assert.equal(said.trim(), `here ${options.path}`)
  assert.deepEqual(readdirSync(join(options.path, '..')), ['environment'])

  const other = virtualEnvironment({ ...options, requirements: `# more\n${options.requirements}` })
  assert.deepEqual(
    (await other.plan(factsHere())).map(({ reason }) => reason),
    ['it was made from other requirements'],
  )
  // As an upgrade of the distribution does.
  rmSync(join(options.path, 'bin/python'))
  symlinkSync('/nowhere/python3.99', join(options.path, 'bin/python'))
  assert.deepEqual(await reasons(), ['the Python that it was made for is gone'])
})

const refusals = [
  {
    name: 'a wheel with another hash',
    change: (text: string) => text.replace(/[0-9a-f]{64}/, '0'.repeat(64)),
    says: /HASHES|hash/i,
  },
  { name: 'a package without a hash', change: (text: string) => text.replace(/ --hash.*/, ''), says: /hash/i },
  {
    name: 'a package that is not among the wheels',
    change: () => `x==1 --hash=sha256:${'0'.repeat(64)}\n`,
    says: /x==1/,
  },
] as const
for (const { name, change, says } of refusals) {
  test(`virtual environment: ${name} is refused, nothing is in its place, and other ways are told`, async (context) => {
    const options = await prepared(scratch(context))
    const [{ commands } = { commands: [] }] = await virtualEnvironment({
      ...options,
      requirements: change(options.requirements),
    }).plan(factsHere())
    const outputs = []
    for (const command of commands) {
      outputs.push(await here(command))
      if (outputs.at(-1)?.code !== 0) break
    }
    assert.notEqual(outputs.at(-1)?.code, 0)
    assert.match(outputs.at(-1)?.stderr ?? '', says)
    assert.match(outputs.at(-1)?.stderr ?? '', /^other ways: site\.wheels$/m)
    assert.throws(() => readFileSync(join(options.path, 'pyvenv.cfg')))
  })
}

test('virtual environment: wheels that were changed on the way are refused', async (context) => {
  const folder = scratch(context)
  const options = await prepared(folder)
  writeFileSync(join(folder, 'wheels.tar.gz'), 'other')
  const [{ commands } = { commands: [] }] = await virtualEnvironment(options).plan(factsHere())
  const codes = []
  for (const command of commands.slice(0, 2)) codes.push((await here(command)).code)
  assert.deepEqual([codes[0], codes[1] !== 0], [0, true])
})

test('virtual environment: pip asks through the proxy, and no wheels are sent', async () => {
  const options = { path: '/opt/e', requirements: 'x', proxy: ['HTTPS_PROXY=http://p:1'], remedy: '' }
  const [{ commands } = { commands: [] }] = await virtualEnvironment(options).plan(factsHere())
  assert.deepEqual(
    commands.map(({ argv }) => argv.slice(0, 3)),
    [
      ['sh', '-euc', commands[0]?.argv[2]],
      ['env', 'HTTPS_PROXY=http://p:1', 'sh'],
      ['sh', '-euc', commands[2]?.argv[2]],
    ],
  )
})
