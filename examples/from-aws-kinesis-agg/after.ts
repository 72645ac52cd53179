/**
 * The same with this library; in a project of your own, import from 'kinesis-producer' and 'kinesis-producer/lambda'.
 * Invariant: every aggregate holds records of one shard only; an order that was not stored is an error.
 */
import type { KinesisStreamEvent } from 'aws-lambda'
import { userRecords } from '../../src/consumer/lambda.ts'
import type { KinesisProducer } from '../../src/index.ts'
import type { Order } from './order.ts'

export async function produce(producer: KinesisProducer, orders: readonly Order[]): Promise<void> {
  const records = orders.map(order => ({ partitionKey: order.customerId, data: JSON.stringify(order) }))
  for await (const { error } of producer.putAll(records)) {
    if (error) throw error
  }
}

export function consume(event: KinesisStreamEvent): Order[] {
  const orders: Order[] = []
  for (const { data } of userRecords(event)) orders.push(JSON.parse(Buffer.from(data).toString()))
  return orders
}
