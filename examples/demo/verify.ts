/**
 * Reads the stream back as a KCL consumer would and holds it against what the producer was told.
 * Invariant: counts only what was really read; an acknowledged record that is not found at its reported place, with its
 * own key and content, counts as lost.
 */
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import type { Attempt } from '../../src/index.ts'
import { readStream, type StreamStart } from '../../src/reader/read-stream.ts'
import { type Answer, dataOf, keyOf } from './workload.ts'

export interface Verification {
  readonly acknowledged: number
  readonly failed: number
  readonly read: number
  /** Acknowledged and not delivered to the reader, or not at the place that was reported. */
  readonly lost: number
  /** Copies beyond the first. */
  readonly duplicates: number
  /** Duplicates of records with an attempt whose answer was lost, or that was stored in the wrong shard. */
  readonly explained: number
  /** Read and never put, or with another key or content. */
  readonly foreign: number
}

interface Copy {
  readonly shardId: string
  readonly sequenceNumber: string
  readonly subSequenceNumber: number
}

const NUMBER = /^record (\d+) /
const decoder = new TextDecoder()

export async function verify(
  client: KinesisClient,
  streamName: string,
  from: StreamStart,
  answers: readonly (Answer | undefined)[]
): Promise<Verification> {
  const copies: Copy[][] = answers.map(() => [])
  let read = 0
  let foreign = 0
  // As the KCL has it: an aggregate with a record that does not belong into its shard is dropped as a whole.
  for await (const record of readStream(client, streamName, { from, follow: false, outOfRange: 'kcl' })) {
    read++
    const data = decoder.decode(record.data)
    const index = Number(NUMBER.exec(data)?.[1] ?? -1)
    const isOurs = index in answers && data === dataOf(index) && record.partitionKey === keyOf(index)
    if (isOurs) copies[index]!.push(record)
    else foreign++
  }
  let acknowledged = 0
  let lost = 0
  let duplicates = 0
  let explained = 0
  answers.forEach((answer, index) => {
    const found = copies[index]!
    const extra = Math.max(0, found.length - 1)
    duplicates += extra
    if (answer?.attempts.some(mayHaveStored)) explained += extra
    if (answer === undefined || answer instanceof Error) return
    acknowledged++
    const isThere = found.some(
      copy =>
        copy.shardId === answer.shardId &&
        copy.sequenceNumber === answer.sequenceNumber &&
        copy.subSequenceNumber === (answer.subSequenceNumber ?? 0)
    )
    if (!isThere) lost++
  })
  return { acknowledged, failed: answers.length - acknowledged, read, lost, duplicates, explained, foreign }
}

/** Anything but a success or a throttle may have left a copy. */
function mayHaveStored(attempt: Attempt): boolean {
  return attempt.errorCode !== undefined && attempt.errorCode !== 'ProvisionedThroughputExceededException'
}
