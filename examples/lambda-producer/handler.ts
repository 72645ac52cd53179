/**
 * A Lambda function that moves messages from an SQS queue into a stream; in a project of your own, import from
 * 'kinesis-producer'. The event source mapping needs ReportBatchItemFailures.
 * Invariant: a message that is not known to be stored when the function returns is delivered again.
 */
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { KinesisProducer } from '../../src/index.ts'

/** Kept for the answer itself. */
const RESERVE_MS = 1000

// Outside the handler: connections and the shard map serve all invocations of this instance.
const producer = new KinesisProducer({ streamName: process.env['STREAM_NAME'] ?? 'orders' })

export async function handler({ Records: messages }: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const timeLeftMs = Math.max(0, context.getRemainingTimeInMillis() - RESERVE_MS)
  const signal = AbortSignal.timeout(timeLeftMs)
  const puts = messages.map(({ messageId, body }) =>
    // The signal takes back what is not acknowledged in time.
    producer.put({ partitionKey: messageId, data: body }, { signal })
  )

  // Lambda freezes the process when the handler returns, so nothing may be left in the buffer.
  await producer.flush()

  const outcomes = await Promise.allSettled(puts)
  const failed = messages.filter((_, index) => outcomes[index]?.status === 'rejected')
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
}
