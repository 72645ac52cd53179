/**
 * The invariants that are checked when a run is over, against all that the shards ever held.
 * Invariant: one named checker for each; a checker reads the books and the stored bytes, never the producer's state
 * (but for the counters that it compares).
 */

import { MAX_ATTEMPTS_KEPT, SHARD_BYTES_PER_SECOND } from '../../src/model/limits.ts'
import { isInside, type KclUserRecord, readShards } from '../../src/testing/kcl-reader.ts'
import { MalformedEnvelopeError } from '../../src/wire/format.ts'
import { VICTIM_SHARD } from './faults.ts'
import type { Put } from './ledger.ts'
import { idOf } from './records.ts'
import type { Incarnation } from './shard-book.ts'
import type { World } from './world.ts'

/** The one code of an entry with which certainly nothing was stored. */
const THROTTLED = 'ProvisionedThroughputExceededException'

/** All copies of every record, by record number and by sequence number. */
interface Reading {
  readonly copies: ReadonlyMap<number, readonly ReadRecord[]>
  readonly bySequence: ReadonlyMap<string, readonly ReadRecord[]>
}

/** One user record as it came out, with its place in the reading of its stream. */
type ReadRecord = KclUserRecord & { readonly position: number }

export interface ReadingCounts {
  readonly storedCount: number
  readonly duplicateCount: number
  /** Copies that only the plain reader delivers. */
  readonly droppedCount: number
  /** Acknowledged records that the KCL-like reader does not deliver. */
  readonly lostCount: number
  /** Such records that the check skips, see `checkDelivered`. */
  readonly unknowableCount: number
}

/** Runs every checker; violations go to the world's trace. */
export function checkAll(world: World): ReadingCounts {
  const reading = readEverything(world)
  checkSettledOnce(world)
  checkCounters(world)
  for (const put of world.ledger.puts) {
    const copies = reading.copies.get(put.id) ?? []
    checkStored(world, put, reading)
    checkDelivered(world, put, copies)
    checkPersisted(world, put, copies)
    checkCopies(world, put, copies)
    checkDeadline(world, put)
    checkTold(world, put, copies)
    checkReason(world, put)
    checkRejected(world, put)
  }
  checkOrder(world, reading)
  checkIdle(world)
  checkClosed(world)
  checkIsolation(world)
  return countsOf(world, reading)
}

/** I6: every stored aggregate can be read. */
function readIncarnation({ trace }: World, { shards, records }: Incarnation): KclUserRecord[] {
  try {
    return readShards(shards.values(), records)
  } catch (error) {
    if (!(error instanceof MalformedEnvelopeError)) throw error
    trace.violated('I6', `a stored aggregate cannot be read: ${error.message}`)
    return []
  }
}

/** I6: nothing is in the shards that was not put, byte for byte. */
function readEverything(world: World): Reading {
  const copies = new Map<number, ReadRecord[]>()
  const bySequence = new Map<string, ReadRecord[]>()
  for (const incarnation of world.book.incarnations) {
    for (const [position, user] of readIncarnation(world, incarnation).entries()) {
      const read = { ...user, position }
      const id = idOf(read.partitionKey, read.data)
      const put = id === undefined ? undefined : world.ledger.puts[id]
      if (put === undefined || put.streamName !== incarnation.streamName || !isSame(read, put)) {
        world.trace.violated('I6', `a stored record is none that was put (number ${id})`)
        continue
      }
      append(copies, put.id, read)
      append(bySequence, read.stored.sequenceNumber, read)
    }
  }
  return { copies, bySequence }
}

function isSame({ partitionKey, explicitHashKey, data }: ReadRecord, put: Put): boolean {
  return (
    partitionKey === put.partitionKey && explicitHashKey === put.explicitHashKey && Buffer.compare(data, put.data) === 0
  )
}

/** I1: every accepted record settles exactly once. */
function checkSettledOnce({ ledger, trace, thrownCount, expectedThrows }: World): void {
  for (const put of ledger.puts) {
    if (put.settledCount !== 1) trace.violated('I1', `record ${put.id} settled ${put.settledCount} times`)
    if ((put.error === undefined) === (put.result === undefined)) trace.violated('I1', `record ${put.id} is told both`)
  }
  if (thrownCount !== expectedThrows) trace.violated('I1', `${thrownCount} of ${expectedThrows} throws were reported`)
}

/** I1: and the counters agree. */
function checkCounters({ core, ledger, trace, config }: World): void {
  let received = 0
  let failed = 0
  for (const { telemetry } of core.streams) {
    received += telemetry.userRecordsReceived
    failed += telemetry.userRecordsFailed
  }
  const failedCount = ledger.puts.length - ledger.deliveredCount
  // A count that threw is lost; the books are not.
  const isCounted = config.coreThrows === Number.POSITIVE_INFINITY
  if (isCounted && received !== ledger.puts.length) trace.violated('I1', `${received} received by the counters`)
  if (core.delivered !== ledger.deliveredCount) trace.violated('I1', `${core.delivered} delivered by the counters`)
  if (core.failed !== failedCount) trace.violated('I1', `${core.failed} of ${failedCount} failed by the counters`)
  if (failed > failedCount) trace.violated('I1', `${failed} failed by the streams' counters`)
}

/** I2: what was acknowledged is stored where the result says. */
function checkStored({ trace }: World, put: Put, { bySequence }: Reading): void {
  const { result } = put
  if (result === undefined) return
  const there = bySequence.get(result.sequenceNumber) ?? []
  const found = there.find(read => idOf(read.partitionKey, read.data) === put.id)
  const isRight =
    found !== undefined &&
    found.stored.shardId === result.shardId &&
    (result.subSequenceNumber ?? 0) === found.subSequenceNumber &&
    (result.subSequenceNumber !== undefined) === found.isAggregated
  if (!isRight) trace.violated('I2', `record ${put.id} is not at ${result.shardId} ${result.sequenceNumber}`)
  const last = result.attempts.at(-1)
  const isTold = last?.sequenceNumber === result.sequenceNumber && last.errorCode === undefined
  if (!isTold || result.attempts.length > 16) trace.violated('I2', `record ${put.id} has a wrong history`)
}

/**
 * I3: and the KCL-like reader delivers it. Not claimed of a stream made anew, which has other ranges under the same ids;
 * nor of a stream that begins to choose shards itself while its shards cannot be listed: then the check could not tell.
 */
function checkDelivered(world: World, put: Put, copies: readonly ReadRecord[]): void {
  if (put.result === undefined || isUnknowable(world, put)) return
  if (isLost(put, copies)) {
    world.trace.violated('I3', `record ${put.id} was acknowledged, and the KCL drops its ${copies.length} copies`)
    return
  }
  const told = copies.find(({ stored }) => stored.sequenceNumber === put.result?.sequenceNumber)
  if (told?.isDelivered === false) {
    world.trace.violated('I3', `record ${put.id} was acknowledged for a copy that the KCL drops`)
  }
}

function isUnknowable({ config }: World, put: Put): boolean {
  const isUnseen = put.wasBlind && config.autoFlips.length > 0
  return isUnseen || config.recreates.length > 0
}

/**
 * I7: with `ordering: 'key'`, the first copies of one key's acknowledged records stand in the order of their puts, for
 * both readers, if they finish parents first. The plain one is asked in the key's own shards: after a reshard an aggregate
 * may leave a copy in another's. A stream made anew is another stream.
 */
function checkOrder(world: World, reading: Reading): void {
  if (world.config.options.ordering !== 'key' || world.config.recreates.length > 0) return
  checkOrderFor(world, reading, 'KCL-like', ({ isDelivered }) => isDelivered)
  checkOrderFor(world, reading, 'plain', ({ isAtHome }) => isAtHome)
}

function checkOrderFor(
  { trace, ledger }: World,
  { copies }: Reading,
  reader: string,
  sees: (copy: ReadRecord) => boolean
): void {
  const last = new Map<string, { readonly id: number; readonly position: number }>()
  for (const put of ledger.puts) {
    const first = copies.get(put.id)?.find(sees)
    if (put.result === undefined || first === undefined) continue
    const key = `${put.streamName}/${put.hashKey}/${put.partitionKey}`
    const before = last.get(key)
    if (before !== undefined && before.position > first.position) {
      trace.violated('I7', `the ${reader} reader sees record ${put.id} before record ${before.id} of its key`)
    }
    last.set(key, { id: put.id, position: first.position })
  }
}

/** I4: 'no' means in no shard. That 'maybe' has a reason is checked when the record settles. */
function checkPersisted({ trace }: World, put: Put, copies: readonly ReadRecord[]): void {
  if (put.error?.persisted === 'no' && copies.length > 0) {
    trace.violated('I4', `record ${put.id} failed with ${put.error.code} 'no', and ${copies.length} copies are stored`)
  }
}

/** I5: a further copy has an ambiguous attempt or a wrong shard to explain it. */
function checkCopies({ trace }: World, put: Put, copies: readonly ReadRecord[]): void {
  const definite = put.told.filter(told => told === 'definite').length
  if (copies.length > put.sentCount - definite) {
    trace.violated('I5', `record ${put.id} has ${copies.length} copies, was sent ${put.sentCount} times`)
  }
}

/**
 * I5: and so has what its user is told: each copy has an attempt that may have stored it, as far as the history goes. A core
 * that threw may have lost the last attempt; it says 'maybe'.
 */
function checkTold({ trace }: World, put: Put, copies: readonly ReadRecord[]): void {
  if (put.error?.code === 'KPL_ERR_INTERNAL') return
  const attempts = (put.result ?? put.error)?.attempts ?? []
  const storing = attempts.filter(({ errorCode }) => errorCode !== THROTTLED)
  if (attempts.length < MAX_ATTEMPTS_KEPT && copies.length > storing.length) {
    trace.violated('I5', `record ${put.id} has ${copies.length} copies, and is told of ${storing.length} attempts`)
  }
}

/** I23: a record fails for a reason that there is, and does not expire before its time. */
function checkReason({ trace, options, config, closingMs }: World, put: Put): void {
  if (put.error === undefined) return
  const { code } = put.error
  const isExpired = (put.settledMs ?? 0) >= put.acceptedMs + options.recordTtlMs
  const reasons: Readonly<Record<string, boolean>> = {
    KPL_ERR_EXPIRED: isExpired,
    KPL_ERR_THROTTLED: options.failIfThrottled,
    KPL_ERR_ABORTED: put.wasAborted,
    KPL_ERR_CLOSE_TIMEOUT: closingMs !== undefined,
    KPL_ERR_INTERNAL: config.coreThrows < Number.POSITIVE_INFINITY,
    // Those two have checkers of their own.
    KPL_ERR_REJECTED: true,
    KPL_ERR_CANNOT_SEND: true
  }
  if (reasons[code] !== true) trace.violated('I23', `record ${put.id} fails with ${code} for no reason`)
}

/** I17: a record settles when its time is over, give or take one request. */
function checkDeadline({ trace, options, config }: World, put: Put): void {
  if (put.settledMs === undefined) return
  const graceMs = 250 + (config.rates.stall > 0 ? 2 * 300 : 0)
  const lateMs = put.settledMs - put.acceptedMs - options.recordTtlMs - config.requestTimeoutMs
  if (lateMs > graceMs) trace.violated('I17', `record ${put.id} settles ${lateMs.toFixed(0)} ms after its time`)
}

/** F17: only the culprit is refused, unless the stream refused everybody. */
function checkRejected({ trace, config }: World, put: Put): void {
  const isExplained = put.isPoison || put.wasRefused || config.recreates.length > 0
  if (put.error?.code === 'KPL_ERR_REJECTED' && !isExplained) {
    trace.violated('F17', `record ${put.id} is refused for another's fault`)
  }
  const isLocal = config.spells.some(({ fault }) => fault === 'localFault')
  if (put.error?.code === 'KPL_ERR_CANNOT_SEND' && !isLocal) {
    trace.violated('F78', `record ${put.id} cannot be sent, and nothing keeps it here`)
  }
  if (put.isPoison && put.result !== undefined) trace.violated('F17', `poison ${put.id} was acknowledged`)
}

/** I9: the buffer is empty to the byte when nothing is outstanding. */
function checkIdle({ core, ledger, trace, roomWaits, network }: World): void {
  const { usedBytes, usedRecords } = core.buffer
  if (ledger.outstanding > 0) return
  // A request that the network has forgotten may hold a record that was taken back, or be of a stream that threw.
  const isEmpty = (usedBytes === 0 && usedRecords === 0) || network.flights.size > 0
  if (!isEmpty) trace.violated('I9', `idle with ${usedBytes} bytes, ${usedRecords} records`)
  const isWaiting = roomWaits !== 0 && network.flights.size === 0
  if (isWaiting) trace.violated('I22', `${roomWaits} wait for room, and the buffer is empty`)
  const { inFlightRequests } = core
  if (inFlightRequests > network.flights.size) trace.violated('I13', `idle with ${inFlightRequests} requests in flight`)
  for (const { gauges } of core.streams) {
    if (gauges.openEnvelopes !== 0 || gauges.sealedRecords !== 0) trace.violated('I9', 'idle with records in a stage')
  }
}

/** I15: close ends at its deadline, or before. */
function checkClosed({ closingMs, closedMs, config, trace }: World): void {
  if (closingMs === undefined) return
  if (closedMs === undefined) trace.violated('I15', 'close does not end')
  // Its deadline is a wake-up, and a process that stands still is woken late.
  const graceMs = 250 + (config.rates.stall > 0 ? 300 : 0)
  if (closedMs !== undefined && closedMs > closingMs + config.closeTimeoutMs + graceMs) {
    trace.violated('I15', 'close ends too late')
  }
}

/** I19: records of shards without a fault are as fast as ever, that is, as their own shard's rate allows. */
function checkIsolation({ config, options, ledger, book, trace }: World): void {
  if (!config.isIsolation) return
  const victims = new Map(book.incarnations.map(({ streamName, shards }) => [streamName, shards.get(VICTIM_SHARD)]))
  const perRoundTrip = options.ordering === 'key' ? 1 : options.collectionMaxCount * options.maxInFlightRequests
  const requests = ledger.puts.length / perRoundTrip
  const bytes = ledger.puts.reduce((sum, { budgetBytes }) => sum + budgetBytes, 0)
  const rateMs = (bytes * 1000) / (SHARD_BYTES_PER_SECOND * (options.rateLimitPercent / 100))
  const boundMs = 1_500 + options.recordMaxBufferedTimeMs + config.latencyMs * (10 + 4 * requests) + rateMs
  for (const put of ledger.puts) {
    const victim = victims.get(put.streamName)
    const isVictim = victim !== undefined && isInside(put.hashKey, victim)
    const tookMs = (put.settledMs ?? Number.POSITIVE_INFINITY) - put.acceptedMs
    if (!isVictim && tookMs > boundMs) {
      trace.violated('I19', `record ${put.id} took ${tookMs.toFixed(0)} ms for another shard's throttles`)
    }
  }
}

function isLost({ result }: Put, copies: readonly ReadRecord[]): boolean {
  return result !== undefined && !copies.some(copy => copy.isDelivered)
}

function countsOf(world: World, { copies }: Reading): ReadingCounts {
  let storedCount = 0
  let droppedCount = 0
  for (const reads of copies.values()) {
    storedCount += reads.length
    for (const { isDelivered } of reads) if (!isDelivered) droppedCount++
  }
  const lost = world.ledger.puts.filter(put => isLost(put, copies.get(put.id) ?? []))
  const unknowableCount = lost.filter(put => isUnknowable(world, put)).length
  const lostCount = lost.length - unknowableCount
  return { storedCount, duplicateCount: storedCount - copies.size, droppedCount, lostCount, unknowableCount }
}

function append<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}
