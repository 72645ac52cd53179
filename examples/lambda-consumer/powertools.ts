/**
 * The same with the batch processor of Powertools for AWS Lambda, which handles partial failures but does not
 * de-aggregate: that happens in the record handler. Import from 'kinesis-producer/deaggregate' in your own project.
 * Invariant: a Kinesis record of which one user record fails is reported, and delivered again with all of them.
 */
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch'
import type { KinesisStreamHandler, KinesisStreamRecord } from 'aws-lambda'
import { deaggregate } from '../../src/consumer/deaggregate.ts'

const processor = new BatchProcessor(EventType.KinesisDataStreams)

async function handleKinesisRecord(source: KinesisStreamRecord): Promise<void> {
  for (const record of deaggregate(source, { onCorrupt: 'throw' })) {
    const order: unknown = JSON.parse(Buffer.from(record.data).toString())
    console.log(record.partitionKey, order)
  }
}

export const handler: KinesisStreamHandler = (event, context) =>
  processPartialResponse(event, handleKinesisRecord, processor, { context })
