/**
 * An HTTP service that answers once the order it was sent is in the stream; in a project of your own, import from
 * 'kinesis-producer'.
 * Invariant: 201 only for an order that is stored; when the buffer is full, 503 with Retry-After, and nothing was taken.
 */
import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify'
import { type KinesisProducer, ProducerError } from '../../src/index.ts'

interface Order {
  readonly customerId: string
  readonly total: number
}

const RETRY_AFTER_SECONDS = 1
const CLOSE_TIMEOUT_MS = 10_000
const orderSchema = {
  type: 'object',
  required: ['customerId', 'total'],
  properties: { customerId: { type: 'string', minLength: 1, maxLength: 256 }, total: { type: 'number' } }
}

export function buildService(producer: KinesisProducer, options: FastifyServerOptions = {}): FastifyInstance {
  const app = fastify(options)

  app.post<{ Body: Order }>('/orders', { schema: { body: orderSchema } }, async ({ body }, reply) => {
    const { shardId, sequenceNumber } = await producer.put({
      partitionKey: body.customerId,
      data: JSON.stringify(body)
    })
    return reply.code(201).send({ shardId, sequenceNumber })
  })

  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof ProducerError)) return reply.send(error)
    // Whatever may go well later: a full buffer, a throttled shard, a service that is away.
    if (error.retryable) reply.code(503).header('retry-after', RETRY_AFTER_SECONDS)
    else reply.code(error.code === 'KPL_ERR_RECORD_TOO_LARGE' ? 413 : 500)
    return reply.send({ code: error.code, message: error.message })
  })

  // A connection that is kept alive would keep the process alive: those with a request open are told to end with it.
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
  })
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })

  // Runs when every open request was answered.
  app.addHook('onClose', async () => {
    const { failed } = await producer.close({ timeoutMs: CLOSE_TIMEOUT_MS })
    if (failed > 0) app.log.error({ failed }, 'orders were not stored')
  })

  return app
}
