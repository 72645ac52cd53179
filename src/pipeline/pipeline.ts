/**
 * One stream's pipeline: accepted records enter, batches and settlements leave through the host.
 *
 *   accept -> aggregator -> limiter -> collector -> host.send ... complete -> retrier -> settle
 *                 ^ members     ^ sealed                                        |
 *                 +-------------+------------------- #resubmit <----------------+
 *
 * Invariant: this is the only file that knows there is a loop, and the loop is `#resubmit`. Between two calls every
 * accepted record is in exactly one place: an open envelope, the limiter, the collector, a request, or on hold.
 */
import type { TransportError } from '../model/errors.ts'
import { type AcceptedRecord, type Batch, type KinesisRecord, STREAM_LANE } from '../model/kinesis-record.ts'
import type { PutRecordsAnswer, ShardHashRange, StreamSummary } from '../model/ports.ts'
import { classifyRequestError, STREAM_NOT_FOUND } from '../model/service-errors.ts'
import { Aggregator } from '../stages/aggregator.ts'
import { Breaker } from '../stages/breaker.ts'
import { Collector } from '../stages/collector.ts'
import type { HashedKey } from '../stages/key-cache.ts'
import { Limiter } from '../stages/limiter.ts'
import { decide, isAcknowledged, judge, type Placement } from '../stages/retrier.ts'
import { ShardDirectory } from '../stages/shard-directory.ts'
