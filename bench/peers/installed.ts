/**
 * The peers that are no dependency of the project: lifion-kinesis and aws-kinesis-writable, with the AWS SDK v2.
 * Invariant: exactly the versions of the lock file beside this file's source; installed on first use, never in a quick
 * run.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { PEERS } from '../harness/places.ts'
import { isQuick } from '../harness/settings.ts'
import {
  type Contestant,
  type ContestantSetting,
  CREDENTIALS,
  concurrently,
  REGION,
  REQUEST_RECORDS,
  STREAM_NAME
} from './contestant.ts'

const MAX_OUTSTANDING_RECORDS = 24 * REQUEST_RECORDS

/** Returns whether the peers are there, having installed them if need be and if that may be done. */
export function ensurePeers(): boolean {
  if (existsSync(`${PEERS}node_modules/lifion-kinesis`)) return true
  if (isQuick) return false
  try {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: PEERS, stdio: 'ignore' })
    return true
  } catch (error) {
    console.error(`the peers of ${PEERS} could not be installed: ${error instanceof Error ? error.message : error}`)
    return false
  }
}

const requirePeer = createRequire(`${PEERS}package.json`)

interface Lifion {
  putRecords(request: { records: readonly { data: string; partitionKey: string }[] }): Promise<unknown>
}

/** Requests of 500, as many at a time as our producer has: the library has neither batches nor concurrency. */
export function openLifion({ endpoint, pool }: ContestantSetting): Contestant {
  const Kinesis = requirePeer('lifion-kinesis') as new (options: object) => Lifion
  const kinesis = new Kinesis({
    streamName: STREAM_NAME,
    region: REGION,
    endpoint,
    ...CREDENTIALS,
    createStreamIfNeeded: false
  })
  return {
    drive(count) {
      return concurrently(Math.ceil(count / REQUEST_RECORDS), index => {
        const first = index * REQUEST_RECORDS
        const records = Array.from({ length: Math.min(REQUEST_RECORDS, count - first) }, (_, i) => {
          const { partitionKey, text } = pool[(first + i) % pool.length]!
          return { partitionKey, data: text }
        })
        return kinesis.putRecords({ records })
      })
    },
    close: async () => {}
  }
}

interface KinesisStream {
  write(record: object): boolean
  flush(): void
  on(event: 'error', listener: (error: Error) => void): void
}
type PutRecordsCallback = (error: Error | null, answer: object) => void
interface OldKinesis {
  putRecords(request: { Records: readonly unknown[] }, callback: PutRecordsCallback): void
}

/** Objects that it writes as JSON. It has no back-pressure and no end, so the bench counts answers for it. */
export function openWritable({ endpoint, pool }: ContestantSetting): Contestant {
  const KinesisStream = requirePeer('aws-kinesis-writable') as new (options: object) => KinesisStream
  const { Kinesis } = requirePeer('aws-sdk') as { Kinesis: new (options: object) => OldKinesis }
  const client = new Kinesis({ region: REGION, endpoint, ...CREDENTIALS })
  let outstanding = 0
  let failure: Error | undefined
  const counting: OldKinesis = {
    putRecords(request, callback) {
      client.putRecords(request, (error, answer) => {
        if (error === null) outstanding -= request.Records.length
        callback(error, answer)
      })
    }
  }
  const objects = pool.map(({ text }) => JSON.parse(text) as { key: string })
  const stream = new KinesisStream({
    streamName: STREAM_NAME,
    objectMode: true,
    partitionKey: ({ key }: { key: string }) => key,
    kinesis: counting,
    buffer: { length: REQUEST_RECORDS }
  })
  stream.on('error', error => {
    failure = error
  })
  const until = async (isEnough: () => boolean) => {
    while (!isEnough() && failure === undefined) await new Promise(resolve => setImmediate(resolve))
    if (failure !== undefined) throw failure
  }
  return {
    async drive(count) {
      for (let i = 0; i < count; i++) {
        outstanding++
        stream.write(objects[i % objects.length]!)
        if (i % REQUEST_RECORDS === 0) await until(() => outstanding < MAX_OUTSTANDING_RECORDS)
      }
      stream.flush()
      await until(() => outstanding === 0)
    },
    close: async () => {}
  }
}
