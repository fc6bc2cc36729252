/**
 * The least that a JSON proxy in Fastify and undici does: parse, write again, forward, and the same with the answer. What the
 * gateway is measured against. `node bench/bare-proxy.ts UPSTREAM`; prints its address on the first line.
 */
import Fastify from 'fastify'
import { Pool } from 'undici'

const upstream = process.argv[2]
if (!upstream) throw new Error('usage: bare-proxy.ts UPSTREAM')
const pool = new Pool(upstream, { connections: 256, pipelining: 1 })
const server = Fastify({ keepAliveTimeout: 120_000 })
server.post('/v1/chat/completions', async (request, reply) => {
  const answer = await pool.request({
    path: '/v1/chat/completions',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request.body),
  })
  return reply.code(answer.statusCode).send(await answer.body.json())
})
process.stdout.write(`${await server.listen({ host: '127.0.0.1', port: 0 })}\n`)
