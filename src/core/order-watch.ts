/**
 * Ordered mode's eye on the service: sequence numbers of a shard have to ascend in the order of the answers, because one
 * Kinesis record is in flight at a time. AWS does not promise it for PutRecords, so a break is a warning, never ignored.
 * Invariant: the highest number of every shard that answered, for at most `MAX_SHARDS_WATCHED` shards.
 * Source: API reference of PutRecord, SequenceNumberForOrdering (2026-11).
 */

const MAX_SHARDS_WATCHED = 10_000

export class OrderWatch {
  readonly #highest = new Map<string, string>()

  /** Takes an acknowledgement; false when its number is not above all that the shard gave before. */
  isInOrder(shardId: string, sequenceNumber: string): boolean {
    const highest = this.#highest.get(shardId)
    const isInOrder = highest === undefined || isBelow(highest, sequenceNumber)
    if (!isInOrder) return false
    if (highest === undefined && this.#highest.size >= MAX_SHARDS_WATCHED) this.#highest.clear()
    this.#highest.set(shardId, sequenceNumber)
    return true
  }

  /** The stream is gone: if it comes back, its numbers begin again. */
  forget(): void {
    this.#highest.clear()
  }
}

/** Returns what to say of a number that did not ascend. */
export function orderBroken(streamName: string, shardId: string): string {
  const fact = `stream ${streamName}: shard ${shardId} gave a sequence number that is not above the earlier ones`
  return `${fact}; records of one key may be out of order`
}

/** Decimal numbers without leading zeros: the longer one is the larger one. */
function isBelow(left: string, right: string): boolean {
  return left.length === right.length ? left < right : left.length < right.length
}
