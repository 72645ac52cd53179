/**
 * Bugs to put into the producer, to show that the simulation finds them: each is a replacement in one source file.
 * Invariant: `find` occurs exactly once in its file, in the TypeScript and in what is emitted for it, so a change of the
 * source that makes a mutant void is noticed.
 */
export interface Edit {
  /** Under src/, without extension. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant {
  readonly name: string
  readonly edits: readonly Edit[]
}

/** Matches `find` in the source and in what the compiler emits for it: other line ends, no types. */
export function patternOf(find: string): RegExp {
  const words = find.replaceAll(']!', ']').trim().split(/\s+/)
  const quoted = words.map(word => word.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\]', '\\]!?'))
  return new RegExp(quoted.join('[\\s;]*'))
}

function mutant(name: string, file: string, find: string, replace: string): Mutant {
  return { name, edits: [{ file, find, replace }] }
}

/** The KPL's rule from 0.15.11 to 1.0: the members that fit the shard are acknowledged, the others go again. */
const KPL_PER_RECORD_RULE: Mutant = {
  name: "the KPL's rule: members of a misrouted aggregate that fit the shard are acknowledged",
  edits: [
    {
      file: 'core/stream',
      find: 'this.#takeApart([record], decision.alone)',
      replace: `const range = decision.alone ? undefined : this.#router.directory.rangeOf(record.attempts.at(-1)?.shardId);
        const settles = record.members.settles;
        for (const [i, member] of (range === undefined ? [] : membersOf(record)).entries()) {
          const hashKey = BigInt(member.explicitHashKey ?? '0x' + hash('md5', member.partitionKey, 'hex'));
          if (settles[i] === undefined || hashKey < range.start || hashKey > range.end) continue;
          const fitting = Object.assign(new Members(), { budgetBytes: 0 });
          fitting.count++; fitting.settles.push(settles[i]); fitting.numbers.push(record.members.numbers[i]);
          fitting.acceptedMs.push(record.members.acceptedMs[i]);
          settles[i] = undefined;
          this.#host.settle(this, { kind: 'delivered', members: fitting, attempts: [], persisted: 'no', isAggregate: true,
            shardId: record.attempts.at(-1).shardId, sequenceNumber: record.attempts.at(-1).sequenceNumber });
        }
        this.#takeApart([record], decision.alone)`
    },
    {
      file: 'core/stream',
      find: "import { Router } from './router",
      replace:
        "import { hash } from 'node:crypto';import { Members } from '../model/kinesis-record.js';import { membersOf } from './members.js';import { Router } from './router"
    }
  ]
}

export const MUTANTS: readonly Mutant[] = [
  KPL_PER_RECORD_RULE,
  // The meaning of an answer.
  mutant(
    'a misrouted aggregate is acknowledged',
    'core/retrier',
    "placement === 'fits' ? 'delivered' : 'misrouted'",
    "'delivered'"
  ),
  mutant(
    'an answer from an unknown shard is believed',
    'core/router',
    "if (range === undefined) return this.directory.isRefreshing ? 'unknown' : 'misrouted'",
    "if (range === undefined) return 'fits'"
  ),
  mutant(
    'an entry that failed is acknowledged',
    'core/retrier',
    'const { errorCode, sequenceNumber } = answer',
    "const { errorCode, sequenceNumber } = answer; if (isText(errorCode)) return 'delivered'"
  ),
  mutant('an unclear entry counts as not stored', 'core/retrier', "return again('maybe')", "return again('no')"),
  mutant('a lost answer counts as not stored', 'core/retrier', "verdict === 'ambiguous' ? 'maybe' : 'no'", "'no'"),
  mutant('a misrouted copy counts as not stored', 'core/stream', "if (!decision.alone) record.persisted = 'maybe'", ''),
  mutant(
    'without a prediction every shard fits',
    'core/router',
    'if (isAsMeant || isUnjudged)',
    "if (isAsMeant || lane.kind === 'stream')"
  ),
  mutant(
    'a hash key at the start of a range is outside',
    'core/members',
    'hashKey >= range.start',
    'hashKey > range.start'
  ),
  mutant('the end of a range is not looked at', 'core/members', '&& hashKey <= range.end', ''),
  mutant(
    'a held answer is never judged',
    'core/stream',
    'for (const answered of this.#held.takeAll()) this.#judgeHeld(answered)',
    ''
  ),
  // Requests.
  mutant(
    'all entries fail for the poison of one',
    'core/retrier',
    'if (entries.length > 1 && !isRequestAtFault)',
    'if (false)'
  ),
  mutant(
    'all members fail for the poison of one',
    'core/retrier',
    'members.count > 1 && !isRequestAtFault ?',
    'false ?'
  ),
  mutant(
    'the first entry of a failed request is dropped',
    'core/stream',
    'for (const [i, record] of entries.entries()) this.#apply',
    'for (const [i, record] of entries.entries()) if (i > 0) this.#apply'
  ),
  mutant(
    'one request more in flight than allowed',
    'core/core',
    'this.#flights.count < this.#options.maxInFlightRequests',
    'this.#flights.count <= this.#options.maxInFlightRequests'
  ),
  mutant(
    'a slot is lost when a request fails',
    'core/core',
    'if (!this.#flights.land(flight)) return',
    "if (outcome.kind === 'answered' && !this.#flights.land(flight)) return"
  ),
  mutant(
    'one entry too many in a request',
    'core/collector',
    'entries.length >= this.#options.collectionMaxCount',
    'entries.length > this.#options.collectionMaxCount'
  ),
  mutant(
    'the request is measured before its last entry',
    'core/collector',
    'requestBytes + next.requestBytes > this.#options.collectionMaxBytes',
    'requestBytes > this.#options.collectionMaxBytes'
  ),
  // Envelopes.
  mutant(
    'an aggregate may be larger than allowed',
    'lanes/aggregator',
    'writer.addWithin(\n      this.#options.aggregationMaxBytes,',
    'writer.addWithin(\n      this.#options.aggregationMaxBytes + 9,'
  ),
  mutant(
    'an aggregate may hold one record more',
    'lanes/aggregator',
    'members.count >= aggregationMaxCount',
    'members.count > aggregationMaxCount'
  ),
  mutant(
    'a payload that looks like an aggregate goes as it is',
    'lanes/aggregator',
    '(mayWrap && dedupeTag !== undefined) || isEnvelope(data)',
    'mayWrap && dedupeTag !== undefined'
  ),
  mutant(
    'a lone payload is not copied',
    'lanes/aggregator',
    'let data = framedCopyOf(record.prefix, record.data, dataBytes, this.#takeBytes)',
    'let data = typeof record.data === "string" ? framedCopyOf(record.prefix, record.data, dataBytes, this.#takeBytes) : record.data'
  ),
  mutant(
    'the explicit hash key does not decide the shard',
    'core/record-validator',
    'this.#record.hashWords = this.#hashWords',
    ''
  ),
  mutant(
    'an aggregate carries no hash key of its own',
    'lanes/aggregator',
    'readHashKey(open.firstHashWords).toString()',
    '"0"'
  ),
  mutant(
    'records of all shards share an envelope',
    'core/router',
    'const lane = lanes[index]',
    'const lane = lanes.find(Boolean)'
  ),
  // Maps.
  mutant(
    'a listing with a gap is believed',
    'core/shard-map',
    'if (start !== next || end < start) throw',
    'if (start < next || end < start) throw'
  ),
  mutant(
    'a failed listing is not fetched again',
    'core/shard-directory',
    'this.#dueMs = nowMs + waitMs + this.#random() * JITTER_MS',
    'this.#dueMs = Number.POSITIVE_INFINITY'
  ),
  {
    name: 'two listings at one time',
    edits: [
      { file: 'core/shard-directory', find: 'if (this.isRefreshing) return', replace: '' },
      { file: 'core/shard-directory', find: 'if (this.#isLoading || nowMs', replace: 'if (nowMs' }
    ]
  },
  mutant(
    'records of a closed shard are forgotten',
    'lanes/limiter',
    'queues.push(lane.queue.takeAll())',
    'lane.queue.takeAll()'
  ),
  mutant(
    'a lane that was held is not resumed',
    'lanes/limiter',
    'lane.isHeld = false\n      this.#place',
    'this.#place'
  ),
  mutant(
    'what is open for a lane that is gone stays open',
    'core/stream',
    'this.#queueAll(this.#aggregator.sealGone())',
    ''
  ),
  mutant(
    'the first map is waited for without end',
    'core/router',
    'if (this.waitUntilMs > nowMs) return',
    'if (nowMs > 0) return'
  ),
  // Pace.
  mutant('no back-off', 'lanes/limiter', 'lane.blockedUntilMs = Math.max(lane.blockedUntilMs, nowMs + waitMs)', ''),
  mutant(
    'a back-off that does not grow',
    'lanes/backoff',
    'baseMs * growth ** Math.min(failures, MAX_STEPS)',
    'baseMs'
  ),
  mutant(
    'no token bucket',
    'lanes/token-bucket',
    'return this.#records >= 1 - ROUNDING && this.#bytes >= neededBytes - ROUNDING',
    'return neededBytes >= 0'
  ),
  mutant('a breaker that never opens', 'core/breaker', 'this.#isOpen = true', ''),
  mutant('a breaker that never closes', 'core/breaker', 'this.#isOpen = false', ''),
  mutant('every throttled record fails', 'core/retrier', 'return failIfThrottled', 'return true'),
  mutant(
    'the first failed attempt is not told',
    'core/members',
    'record.attempts.push(attempt)',
    'if (attempt.errorCode === undefined || record.attempts.length > 0) record.attempts.push(attempt)'
  ),
  {
    name: 'a misrouted aggregate is acknowledged when an earlier copy may be stored',
    edits: [
      { file: 'core/retrier', find: '#decide({ members }', replace: '#decide({ members, persisted }' },
      {
        file: 'core/retrier',
        find: "return { kind: 'retryMembers', alone: false }",
        replace: `return persisted === 'maybe'
          ? { kind: 'deliver', shardId: answer.shardId, sequenceNumber: answer.sequenceNumber }
          : { kind: 'retryMembers', alone: false }`
      }
    ]
  },
  mutant(
    'a record that moves takes the context of the record before it',
    'core/repack',
    'accepted.context = members.contextOf(i)',
    'accepted.context = members.contextOf(i - 1)'
  ),
  // Times to live.
  {
    name: 'a record expires before its time',
    edits: [
      {
        file: 'core/core',
        find: 'record.expirationMs = nowMs + this.#options.recordTtlMs',
        replace: 'record.expirationMs = nowMs + this.#options.recordTtlMs / 2'
      },
      {
        file: 'core/repack',
        find: 'accepted.expirationMs = accepted.acceptedMs + this.#options.recordTtlMs',
        replace: 'accepted.expirationMs = accepted.acceptedMs + this.#options.recordTtlMs / 2'
      }
    ]
  },
  mutant(
    'what waits for a request does not expire',
    'core/outbox',
    'for (const station of [this.#collector, this.limiter])',
    'for (const station of [this.limiter])'
  ),
  mutant('the time to live is not looked at', 'core/repack', '|| accepted.expirationMs <= nowMs', ''),
  mutant(
    'a record that is taken apart forgets its history',
    'core/repack',
    'accepted.history = members.historyOf(i) === undefined ? shared : historyOf(members, i)',
    'accepted.history = undefined'
  ),
  mutant(
    'a record that is taken apart gets another number',
    'core/repack',
    'accepted.number = members.numbers[i]!',
    'accepted.number = 0'
  ),
  mutant(
    'a record that is taken apart is young again',
    'core/repack',
    'accepted.acceptedMs = members.acceptedMs[i]!',
    'accepted.acceptedMs = nowMs'
  ),
  // Order.
  mutant(
    'ordered: a new lane does not wait for the former one',
    'lanes/limiter',
    'for (const drained of this.#draining) if (lane.overlaps(drained)) lane.blockers.add(drained)',
    ''
  ),
  mutant(
    'ordered: two records of a lane in flight',
    'lanes/limiter',
    'lane.out.size > 0 || lane.blockers',
    'lane.out.size > 1 || lane.blockers'
  ),
  mutant('ordered: what comes back goes to its former lane', 'core/outbox', 'record.lane.isGone ||', ''),
  mutant(
    'ordered: what is open is not sealed before old records rejoin',
    'core/stream',
    'if (isOrdered) this.#queueAll(this.#aggregator.sealAll())',
    ''
  ),
  mutant(
    'retries go to the tail',
    'lanes/record-queue',
    'if (last === undefined || ageOf(last) <= age)',
    'if (age >= 0)'
  ),
  // Buffer, settlements, flush, abort, close.
  mutant(
    'the buffer is not given back for failures',
    'core/settlement',
    'buffer.release(members.budgetBytes, members.count)',
    'if (isDelivered) buffer.release(members.budgetBytes, members.count)'
  ),
  mutant(
    'the buffer is checked after it is filled',
    'core/buffer-budget',
    'this.#bytes + bytes <= this.maxBytes',
    'this.#bytes <= this.maxBytes'
  ),
  mutant(
    'one record too many in the buffer',
    'core/buffer-budget',
    'this.#records + records <= this.maxRecords',
    'this.#records <= this.maxRecords'
  ),
  mutant(
    'aborted records are counted twice',
    'core/settlement',
    'const liveCount = members.count - members.abortedCount',
    'const liveCount = members.count'
  ),
  mutant(
    'an aborted record in flight counts as not stored',
    'core/members',
    "failureWith(TAKEN_BACK, 'maybe',",
    'failureWith(TAKEN_BACK, persisted,'
  ),
  mutant(
    'an abort between decision and callback',
    'core/settlement',
    'members === undefined || members.isDecided',
    'members === undefined'
  ),
  mutant(
    'a held answer does not count as out',
    'core/held-answers',
    'answered.record.members.sentMs = answered.startMs',
    ''
  ),
  mutant(
    'refusals are believed of a stream that is being created',
    'core/stream-status',
    'if (this.isCreating) return false',
    'if (this.isCreating) return true'
  ),
  mutant(
    'a flush ends one record early',
    'core/flush-ledger',
    'const remaining = this.#outstanding - waitedFor',
    'const remaining = Math.max(0, this.#outstanding - waitedFor - 1)'
  ),
  mutant('close forgets what is on hold', 'core/stream', '[...waiting, ...held]', 'waiting'),
  mutant(
    'a callback that throws stops the others',
    'core/settlement',
    'onThrow(error)\n    }\n    onSettled(members.numbers[i]!)',
    'onThrow(error); return }\n    onSettled(members.numbers[i])'
  ),
  {
    name: 'memory is used again after every answer',
    edits: [
      {
        file: 'core/core',
        find: 'this.buffer = new BufferBudget(options)',
        replace: 'this.buffer = new BufferBudget(options); this.memory = memory'
      },
      {
        file: 'core/core',
        find: 'const publish = noteAnswer(stream, batch, outcome)',
        replace:
          'const publish = noteAnswer(stream, batch, outcome); for (const { data } of batch.entries) this.memory.release(data)'
      }
    ]
  },
  // The driver and its requests.
  mutant(
    'an answer that comes twice is heard twice',
    'core/core',
    'if (!this.#flights.land(flight)) return',
    'this.#flights.land(flight)'
  ),
  mutant('what close gave up is heard', 'core/flights', 'this.#open.clear()', ''),
  mutant(
    'close forgets the requests under way',
    'core/core',
    'for (const { stream, batch } of this.#flights.takeAll())',
    'for (const { stream, batch } of [])'
  ),
  mutant('a request that is never answered is waited for', 'core/flights', 'giveUpMs <= nowMs', 'giveUpMs < 0'),
  mutant('close does not end at its deadline', 'core/core', 'nowMs >= this.#closing.endMs', 'nowMs < 0'),
  mutant('the deadline of close is not asked for', 'core/core', 'this.#closing?.endMs ?? NEVER_MS', 'NEVER_MS'),
  mutant('close ends before everything has settled', 'core/closing', 'isDrained = false', 'isDrained = true'),
  mutant('close counts from the start', 'core/closing', 'delivered: delivered - this.#deliveredBefore', 'delivered'),
  mutant('a put makes nothing due', 'core/core', "if (placing !== 'joined') this.#placed(stream, placing, nowMs)", ''),
  mutant(
    'a wake-up counts as still to come',
    'core/core',
    'this.#armedMs = NEVER_MS\n    if (this.#isClosed) return',
    'if (this.#isClosed) return'
  ),
  mutant(
    'a put after close is taken',
    'core/core',
    'if (this.#closing !== undefined) throw closed()\n    let record',
    'let record'
  ),
  mutant(
    'who waits for room is not told',
    'core/core',
    'if (this.#roomWaiters.length > 0 && this.hasRoom) this.#tellRoom(undefined)',
    ''
  ),
  mutant(
    'who waits for room is told before there is any',
    'core/core',
    'if (this.#roomWaiters.length > 0 && this.hasRoom) this.#tellRoom(undefined)',
    'this.#tellRoom(undefined)'
  ),
  // Deadlines of streams that did not change.
  mutant('a stream that did its work keeps its old deadline', 'core/supervisor', 'this.touched(stream)\n  }', '}'),
  mutant(
    'a free slot is not told to the streams that wait for one',
    'core/agenda',
    'if (hasFreeSlot && this.#slotless.size > 0)',
    'if (hasFreeSlot && this.#slotless.size < 0)'
  ),
  // Digests, keys and the clock of a put.
  mutant(
    'a digest takes a byte too few',
    'wire/envelope-digest',
    'length - ENVELOPE_BYTES)',
    'length - ENVELOPE_BYTES - 1)'
  ),
  mutant('an envelope leaves without its digest', 'core/outbox', 'this.#digest(entries)\n    if', 'if'),
  mutant(
    'a digest is written into another envelope',
    'wire/envelope-digest',
    'const at = index * DIGEST_BYTES\n    envelope.set',
    'const at = (envelopes.length - 1 - index) * DIGEST_BYTES\n    envelope.set'
  ),
  mutant(
    'a key points at a lane of a former map',
    'core/router',
    'key.laneTable !== table || key.lane === undefined',
    'key.lane === undefined'
  ),
  {
    name: 'a put takes the time of the event before it',
    edits: [
      {
        file: 'core/core',
        find: 'record.acceptedMs = nowMs',
        replace: 'record.acceptedMs = this.#supervisor.nowMs'
      },
      {
        file: 'core/core',
        find: 'record.expirationMs = nowMs + this.#options.recordTtlMs',
        replace: 'record.expirationMs = record.acceptedMs + this.#options.recordTtlMs'
      }
    ]
  },
  // Callers who share an answer.
  mutant(
    'a caller takes the answer of the next one',
    'core/shared-answer',
    'const index = this.#nextIndex++',
    'const index = this.#nextIndex++; while (this.#nextIndex === 1 && this.#nextIndex < settles.length) this.#nextIndex++'
  ),
  mutant(
    'callers of a record that is taken apart are not told to take what comes later',
    'core/repack',
    'members.moved()\n    if (over',
    'if (over'
  ),
  mutant(
    'callers of a stream that threw are not told to take what comes later',
    'core/custody',
    'members.isDecided = true\n      members.moved()',
    'members.isDecided = true'
  ),
  mutant(
    'a record that joined does not count as settled',
    'core/settlement',
    'if (isJoiner(settles[i])) onSettled(numbers[i]!)',
    ''
  ),
  mutant(
    'a record that joined counts as settled before its caller is told',
    'core/settlement',
    'if (isJoiner(settler)) continue',
    'if (isJoiner(settler)) { onSettled(members.numbers[i]); continue }'
  ),
  // The state behind a core that throws.
  mutant('a throw forgets the records that were held', 'core/supervisor', 'if (heldCount > 0)', 'if (heldCount < 0)'),
  mutant(
    'a throw forgets the records that were being moved',
    'core/stream',
    'const over = this.#repack.takeApart(record',
    'this.custody.moved(record.members); const over = this.#repack.takeApart(record'
  ),
  mutant(
    'a record that was out when the core threw counts as not stored',
    'core/custody',
    "persisted: sentMs === undefined ? persisted : 'maybe'",
    'persisted'
  ),
  mutant(
    'an answer that the core threw at counts as none',
    'core/core',
    "for (const record of batch.entries) record.persisted = 'maybe'\n    this.#supervisor",
    'this.#supervisor'
  ),
  mutant(
    'a put that threw after its record was placed says that nothing was taken',
    'core/core',
    'if (!isPlaced) throw refusalFor(cause)',
    'throw refusalFor(cause)'
  ),
  mutant(
    'a put is counted before its record is placed',
    'core/core',
    'placing = stream.place(record, this.#validator.key, nowMs)',
    'this.buffer.take(budgetBytes); placing = stream.place(record, this.#validator.key, nowMs); this.buffer.release(budgetBytes, 1)'
  ),
  mutant(
    'a stream that was replaced hears its answers',
    'core/core',
    'if (stream.isReplaced) return\n    for (const { members }',
    'for (const { members }'
  )
]
