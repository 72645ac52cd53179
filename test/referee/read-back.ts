/**
 * The user records of a stream of the fake, read over HTTP with GetRecords by `readStream`.
 * GetRecords does not show explicit hash keys. So the one of a plain record comes from the fake's memory, and is left out
 * where it is the hash of the partition key, because the KPL sends a hash key with every record.
 */
import { readStream } from '../../src/reader/read-stream.ts'
import type { FakeKinesis } from '../../src/testing/index.ts'
import { hashKeyOfText } from './content.ts'
import type { UserRecord } from './user-record.ts'

type Client = Parameters<typeof readStream>[0]

/** `outOfRange` as in `deaggregate`: `'kcl'` drops an aggregate of which one user record is of another shard. */
export async function readBack(
  client: Client,
  kinesis: FakeKinesis,
  streamName: string,
  outOfRange: 'filter' | 'kcl'
): Promise<UserRecord[]> {
  const hashKeys = new Map(
    kinesis.storedRecords(streamName).map(stored => [stored.sequenceNumber, stored.explicitHashKey])
  )
  const records: UserRecord[] = []
  for await (const record of readStream(client, streamName, { follow: false, outOfRange, copy: true })) {
    const { partitionKey, data, aggregated, sequenceNumber } = record
    const sent = hashKeys.get(sequenceNumber)
    const given = sent === hashKeyOfText(partitionKey) ? undefined : sent
    records.push({ partitionKey, explicitHashKey: aggregated ? record.explicitHashKey : given, data })
  }
  return records
}
