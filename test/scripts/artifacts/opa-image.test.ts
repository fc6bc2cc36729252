/** What goes into OPA's image: only the bytes that a digest names. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { fetchOpa } from '../../../scripts/artifacts/opa-image.ts'
import { Failure } from '../../../scripts/core/failure.ts'

const PIN = { version: '1.22.3', download: 'https://vendor.example' }
const PROGRAM = Buffer.from('a program')
const DIGEST = createHash('sha256').update(PROGRAM).digest('hex')
const PATH = '/v1.22.3/opa_linux_amd64_static'

type Row = Readonly<{
  name: string
  files: Readonly<Record<string, string>>
  address?: string
  sha256?: string
  architecture?: string
  problem?: RegExp
}>

const ROWS: readonly Row[] = [
  {
    name: 'the digest beside it',
    files: {
      [`https://vendor.example${PATH}`]: 'a program',
      [`https://vendor.example${PATH}.sha256`]: `${DIGEST}  opa\n`,
    },
  },
  {
    name: 'a given digest: that beside it is not asked',
    files: { [`http://m:1${PATH}`]: 'a program' },
    address: 'http://m:1',
    sha256: DIGEST,
  },
  {
    name: 'another processor',
    files: { 'https://vendor.example/v1.22.3/opa_linux_arm64_static': 'a program' },
    ...{ architecture: 'arm64', sha256: DIGEST },
  },
  {
    name: 'other bytes',
    files: { [`https://vendor.example${PATH}`]: 'another' },
    sha256: DIGEST,
    problem: /its SHA-256 is .*expected/,
  },
  {
    name: 'a page in place of the digest',
    files: { [`https://vendor.example${PATH}.sha256`]: '<html>' },
    problem: /does not begin with a SHA-256/,
  },
  { name: 'a given digest that is none', files: {}, sha256: 'abc', problem: /does not begin with a SHA-256/ },
  { name: 'nothing there', files: {}, problem: /not there/ },
]

for (const { name, files, address = '', sha256 = '', architecture = 'x64', problem } of ROWS)
  test(`OPA's program: ${name}`, async () => {
    const get = async (url: string) => {
      const file = files[url]
      if (file === undefined) throw new Error('not there')
      return Buffer.from(file)
    }
    const fetching = fetchOpa({ pin: PIN, address, sha256, architecture }, get)
    if (problem === undefined) assert.deepEqual(await fetching, PROGRAM)
    else await assert.rejects(fetching, (error) => error instanceof Failure && problem.test(error.text.why ?? ''))
  })
