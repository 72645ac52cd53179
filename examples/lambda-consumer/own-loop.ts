/**
 * The same with a loop of one's own: strictly in order, the first failure ends the batch.
 * Invariant: the answer names the Kinesis record at which the loop stopped, so that Lambda goes on there.
 */
import { type LambdaBatchResponse, type LambdaStreamEvent, userRecords } from '../../src/consumer/lambda.ts'

export async function handler(event: LambdaStreamEvent): Promise<LambdaBatchResponse> {
  for (const record of userRecords(event)) {
    try {
      const order: unknown = JSON.parse(Buffer.from(record.data).toString())
      console.log(record.partitionKey, order)
    } catch (error) {
      console.error(record.id, error)
      return { batchItemFailures: [{ itemIdentifier: record.sequenceNumber }] }
    }
  }
  return { batchItemFailures: [] }
}
