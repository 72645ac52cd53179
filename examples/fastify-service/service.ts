/**
 * An HTTP service that answers once the order it was sent is in the stream; in a project of your own, import from
 * 'kinesis-producer'.
 * Invariant: 201 only for an order that is stored; when the buffer is full, 429 with Retry-After, and nothing was taken. Every
 * request is answered before the service ends, also while Kinesis cannot be reached.
 */
import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify'
import { type CloseResult, type KinesisProducer, ProducerError } from '../../src/index.ts'

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
    const status = statusOf(error)
    if (status === 429 || status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS)
    return reply.code(status).send({ code: error.code, message: error.message })
  })

  // New requests are refused by Fastify from here on. While Kinesis cannot be reached, only the end of the producer settles the
  // puts of those that are open, and answers them. So it begins now: after the last answer would be too late.
  let closing: Promise<CloseResult> | undefined
  app.addHook('preClose', async () => {
    closing = producer.close({ timeoutMs: CLOSE_TIMEOUT_MS })
  })
  // A connection that is kept alive would keep the process alive: those with a request open are told to end with it.
  app.addHook('onSend', async (_request, reply) => {
    if (closing !== undefined) reply.header('connection', 'close')
  })
  // Runs when every open request was answered.
  app.addHook('onClose', async () => {
    const failed = (await closing)?.failed ?? 0
    if (failed > 0) app.log.error({ failed }, 'orders were not stored')
  })

  return app
}

function statusOf({ code, retryable }: ProducerError): number {
  if (code === 'KPL_ERR_BUFFER_FULL') return 429
  if (code === 'KPL_ERR_RECORD_TOO_LARGE') return 413
  // May go well later, or elsewhere: a shard is throttled, Kinesis is away, this process ends.
  return retryable || code === 'KPL_ERR_CLOSED' ? 503 : 500
}
