/**
 * A real S3 store (versitygw) with a bucket as a careful person makes it: versioned, with object lock that holds every object for a day, and
 * a user for hosts who may add, read and list, and nothing else.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AwsClient } from 'aws4fetch'
import type { S3Store, StoreSecrets } from '../../contract/backup-store.ts'
import { freePort } from '../free-port.ts'
import { cachePath } from './setting.ts'

const BUCKET = 'copies'
const REGION = 'eu-test-1'
const OWNER = { accessKeyId: 'owner', secretAccessKey: 'owner-secret-of-the-test' }
const HOST = { accessKeyId: 'host', secretAccessKey: 'host-secret-of-the-test' }

/** `ask` sends a signed request as the bucket's owner, or as the host. `stop` and `start` leave what is stored. */
export type S3Server = Readonly<{
  store: S3Store
  secrets: StoreSecrets
  port: number
  ask: (who: 'owner' | 'host', method: string, path: string, body?: string) => Promise<Response>
  start: () => Promise<void>
  stop: () => Promise<void>
  close: () => Promise<void>
}>

const POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      ...{ Effect: 'Allow', Principal: { AWS: HOST.accessKeyId } },
      Action: ['s3:PutObject', 's3:GetObject', 's3:GetObjectVersion', 's3:ListBucket', 's3:ListBucketVersions'],
      Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`],
    },
  ],
}

const LOCK = `<ObjectLockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>`

/** Starts one on an address of this machine, with its bucket. */
export const startS3Store = async (host = '127.0.0.1'): Promise<S3Server> => {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-s3-'))
  for (const name of ['objects', 'versions', 'users']) mkdirSync(join(folder, name))
  const port = await freePort(host)
  const endpoint = `http://${host}:${port}`
  const program = cachePath('go', 'versitygw')
  let child: ChildProcess | undefined

  const start = async (): Promise<void> => {
    child = spawn(
      program,
      [
        ...['--port', `${host}:${port}`, '--health', '/health', '--region', REGION, '--quiet'],
        ...['--iam-dir', join(folder, 'users'), 'posix', '--versioning-dir', join(folder, 'versions')],
        join(folder, 'objects'),
      ],
      {
        env: { ROOT_ACCESS_KEY: OWNER.accessKeyId, ROOT_SECRET_KEY: OWNER.secretAccessKey },
        stdio: 'ignore',
      },
    )
    for (;;) {
      if (child.exitCode !== null) throw new Error(`versitygw ended with ${child.exitCode}`)
      if (
        await fetch(`${endpoint}/health`).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        return
      await sleep(25)
    }
  }
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  const ask: S3Server['ask'] = async (who, method, path, body) => {
    const client = new AwsClient({ ...(who === 'owner' ? OWNER : HOST), service: 's3', region: REGION, retries: 0 })
    const sum = body === undefined ? {} : { 'content-md5': createHash('md5').update(body).digest('base64') }
    const lock = path === '' && method === 'PUT' ? { 'x-amz-bucket-object-lock-enabled': 'true' } : {}
    const given = body === undefined ? {} : { body }
    return await client.fetch(`${endpoint}/${BUCKET}${path}`, { method, headers: { ...sum, ...lock }, ...given })
  }

  await start()
  const admin = ['admin', '--endpoint-url', endpoint, '--access', OWNER.accessKeyId, '--secret', OWNER.secretAccessKey]
  const user = ['create-user', '--access', HOST.accessKeyId, '--secret', HOST.secretAccessKey, '--role', 'user']
  const [code] = await once(spawn(program, [...admin, '--region', REGION, ...user], { stdio: 'ignore' }), 'exit')
  if (code !== 0) throw new Error(`no user could be made in versitygw: ${code}`)
  for (const [path, body] of [
    ['', undefined],
    ['?policy', JSON.stringify(POLICY)],
    ['?object-lock', LOCK],
  ] as const) {
    const answer = await ask('owner', 'PUT', path, body)
    if (!answer.ok) throw new Error(`versitygw refuses "${path}": ${answer.status} ${await answer.text()}`)
  }
  return {
    store: { kind: 's3', endpoint, bucket: BUCKET, region: REGION, prefix: 'host-1/' },
    secrets: { 'backup-store-key-id': HOST.accessKeyId, 'backup-store-secret': HOST.secretAccessKey },
    ...{ port, ask, start, stop },
    close: async () => {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
