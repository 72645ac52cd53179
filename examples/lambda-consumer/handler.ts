/**
 * A Lambda function for a Kinesis stream of JSON user records; in a project of your own, import from
 * 'kinesis-producer/lambda'. The event source mapping needs ReportBatchItemFailures.
 * Invariant: a user record that was not saved is delivered again.
 */
import { kinesisHandler, type LambdaUserRecord } from '../../src/consumer/lambda.ts'

/** User records done by this instance of the function; the oldest go first when there are too many. */
class RecentlyDone {
  readonly #ids = new Set<string>()

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  add(id: string): void {
    this.#ids.add(id)
    const [oldest] = this.#ids
    if (this.#ids.size > 100_000 && oldest !== undefined) this.#ids.delete(oldest)
  }
}

async function save(record: LambdaUserRecord, signal: AbortSignal): Promise<void> {
  const order: unknown = JSON.parse(Buffer.from(record.data).toString())
  signal.throwIfAborted()
  console.log(record.partitionKey, order)
}

export const handler = kinesisHandler((record, _, signal) => save(record, signal), {
  concurrency: 20,
  seen: new RecentlyDone(),
  afterFailure: 'continue',
  onError: (error, record) => console.error(record?.id ?? 'corrupt record', error)
})
