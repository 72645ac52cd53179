/**
 * Producing and consuming with aws-kinesis-agg: what `after.ts` replaces.
 * Invariant: none. It knows no shards: with more than one of them, a KCL consumer drops what it aggregates.
 */
import { type KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis'
import kinesisAggregation, { type UserRecord } from 'aws-kinesis-agg'
import type { KinesisStreamEvent } from 'aws-lambda'
import type { Order } from './order.ts'

export function produce(client: KinesisClient, streamName: string, orders: readonly Order[]): Promise<void> {
  const records = orders.map(order => ({ partitionKey: order.customerId, data: JSON.stringify(order) }))
  return new Promise((resolve, reject) => {
    kinesisAggregation.aggregate(
      records,
      ({ partitionKey, data }, callback) => {
        const put = new PutRecordCommand({ StreamName: streamName, PartitionKey: partitionKey, Data: data })
        client.send(put).then(() => callback(), callback)
      },
      resolve,
      reject
    )
  })
}

export function consume(event: KinesisStreamEvent): Order[] {
  const orders: Order[] = []
  for (const { kinesis } of event.Records) {
    kinesisAggregation.deaggregateSync(kinesis, true, (error: Error | undefined, records: UserRecord[] = []) => {
      if (error) throw error
      for (const { data } of records) orders.push(JSON.parse(Buffer.from(data, 'base64').toString()))
    })
  }
  return orders
}
