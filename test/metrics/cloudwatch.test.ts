import type { CloudWatchClient, PutMetricDataCommandInput } from '@aws-sdk/client-cloudwatch'
import { describe, expect, test } from 'vitest'
import { type CloudWatchClientLike, CloudWatchMetrics, type CloudWatchOptions } from '../../src/metrics/cloudwatch.ts'
import { OptionsError } from '../../src/model/errors.ts'
import { MAX_WINDOWS } from '../../src/stats/statistics.ts'
import { microtasks, STREAM } from '../support/harness.ts'
import { KEYS, Observed, SHARDS } from './fixture.ts'

/** KPL 1.0.7: name, unit, level and finest granularity of everything that it uploads. */
const KPL_METRICS = [
  ['UserRecordsReceived', 'Count', 'detailed', 'stream'],
  ['UserRecordsPending', 'Count', 'detailed', 'stream'],
  ['UserRecordsPut', 'Count', 'summary', 'shard'],
  ['UserRecordsDataPut', 'Bytes', 'detailed', 'shard'],
  ['KinesisRecordsPut', 'Count', 'summary', 'shard'],
  ['KinesisRecordsDataPut', 'Bytes', 'detailed', 'shard'],
  ['ErrorsByCode', 'Count', 'summary', 'shard'],
  ['AllErrors', 'Count', 'summary', 'shard'],
  ['RetriesPerRecord', 'Count', 'detailed', 'shard'],
  ['UserRecordExpired', 'Count', 'summary', 'shard'],
  ['BufferingTime', 'Milliseconds', 'summary', 'shard'],
  ['RequestTime', 'Milliseconds', 'detailed', 'stream'],
  ['UserRecordsPerKinesisRecord', 'Count', 'detailed', 'shard'],
  ['KinesisRecordsPerPutRecordsRequest', 'Count', 'detailed', 'stream'],
  ['UserRecordsPerPutRecordsRequest', 'Count', 'detailed', 'stream']
] as const

/** Of the producer as a whole, at level detailed. */
const OUR_GAUGES = ['BufferedRecords', 'BufferMaxRecords', 'BufferedBytes', 'BufferMaxBytes']

/** A CloudWatch that keeps what it was sent, and fails while `failures` are left. */
class FakeCloudWatch {
  readonly calls: PutMetricDataCommandInput[] = []
  failures = 0
  hold: Promise<void> | undefined

  async send(command: object): Promise<unknown> {
    await this.hold
    if (this.failures > 0) {
      this.failures--
      throw new Error('CloudWatch is away')
    }
    this.calls.push((command as { input: PutMetricDataCommandInput }).input)
    return {}
  }

  get data() {
    return this.calls.flatMap(call => call.MetricData ?? [])
  }

  /** Sum of a metric at some dimensions, over all calls. */
  sumOf(name: string, dimensions: string): number {
    return this.data
      .filter(datum => datum.MetricName === name && chainOf(datum) === dimensions)
      .reduce((sum, datum) => sum + (datum.StatisticValues?.Sum ?? 0), 0)
  }
}

describe('what is uploaded', () => {
  test("names, units and dimensions are the KPL's, and beside them there is the buffer", async () => {
    const { cloudWatch } = await uploaded({})

    const found = new Map<string, { unit: string | undefined; chains: Set<string> }>()
    for (const datum of cloudWatch.data) {
      const entry = found.get(datum.MetricName!) ?? { unit: datum.Unit, chains: new Set() }
      entry.chains.add((datum.Dimensions ?? []).map(({ Name }) => Name).join(' '))
      found.set(datum.MetricName!, entry)
    }
    for (const name of OUR_GAUGES) expect([name, [...(found.get(name)?.chains ?? [])]]).toEqual([name, ['']])
    for (const name of OUR_GAUGES) found.delete(name)
    const actual = [...found].map(([name, { unit, chains }]) => [name, unit, [...chains].sort()]).sort()
    const expected = KPL_METRICS.map(([name, unit, , finest]) => {
      const head = name === 'ErrorsByCode' ? ['', 'ErrorCode', 'ErrorCode StreamName'] : ['', 'StreamName']
      const last = name === 'ErrorsByCode' ? 'ErrorCode StreamName ShardId' : 'StreamName ShardId'
      return [name, unit, [...head, ...(finest === 'shard' ? [last] : [])].sort()]
    }).sort()
    expect(actual).toEqual(expected)
    expect(new Set(cloudWatch.calls.map(call => call.Namespace))).toEqual(new Set(['KinesisProducerLibrary']))
  })

  test('level summary leaves out what the KPL calls detailed', async () => {
    const { cloudWatch } = await uploaded({ level: 'summary' })

    expect(new Set(cloudWatch.data.map(datum => datum.MetricName))).toEqual(
      new Set(KPL_METRICS.filter(([, , level]) => level === 'summary').map(([name]) => name))
    )
  })

  test('level none uploads nothing and takes no window', async () => {
    const { cloudWatch, observed } = await uploaded({ level: 'none' })

    expect([cloudWatch.calls, observed.stats({ isOpen: false, isClosed: false }).window]).toEqual([[], {}])
  })

  test.each([
    ['global', ['']],
    ['stream', ['', 'StreamName=orders']],
    ['shard', ['', 'StreamName=orders', ...SHARDS.map(shardId => `StreamName=orders ShardId=${shardId}`)]]
  ] as const)('granularity %s', async (granularity, chains) => {
    const { cloudWatch } = await uploaded({ granularity })

    const puts = cloudWatch.data.filter(datum => datum.MetricName === 'UserRecordsPut')
    expect(puts.map(chainOf).sort()).toEqual([...chains].sort())
  })

  test('values are statistic sets of the span since the last upload', async () => {
    const { cloudWatch, observed, metrics } = await uploaded({ granularity: 'global', level: 'summary' })
    cloudWatch.calls.length = 0

    await observed.send([KEYS[0], 'x'])
    await metrics.flush()

    const put = cloudWatch.data.find(datum => datum.MetricName === 'UserRecordsPut')
    expect(put).toEqual({
      MetricName: 'UserRecordsPut',
      Unit: 'Count',
      Dimensions: [],
      StatisticValues: { SampleCount: 1, Sum: 1, Minimum: 1, Maximum: 1 }
    })
  })

  test('dimensions of your own stand at their place, and blank ones are left out', async () => {
    const { cloudWatch } = await uploaded({
      dimensions: [
        { name: 'Stage', value: 'test', granularity: 'global' },
        { name: 'Blank', value: ' ', granularity: 'global' },
        { name: 'Team', value: 'blue', granularity: 'shard' }
      ]
    })

    const puts = cloudWatch.data.filter(datum => datum.MetricName === 'UserRecordsPut')
    expect(puts.map(chainOf).sort()).toEqual(
      [
        '',
        'Stage=test',
        'Stage=test StreamName=orders',
        ...SHARDS.flatMap(shardId => [
          `Stage=test StreamName=orders ShardId=${shardId}`,
          `Stage=test StreamName=orders ShardId=${shardId} Team=blue`
        ])
      ].sort()
    )
  })

  test('a call has at most 20 data', async () => {
    const { cloudWatch } = await uploaded({})

    const sizes = cloudWatch.calls.map(call => call.MetricData!.length)
    expect([sizes.slice(0, -1).every(size => size === 20), sizes.at(-1)! <= 20, sizes.length > 1]).toEqual([
      true,
      true,
      true
    ])
  })

  test('two producers of one stream are one metric', async () => {
    const [left, right] = [await new Observed().open(), await new Observed().open()]
    const cloudWatch = new FakeCloudWatch()
    const metrics = new CloudWatchMetrics([left, right], { client: cloudWatch, clock: left.harness.clock })

    await left.send(['k', 'x'])
    await right.send(['k', 'y'], ['k', 'z'])
    await metrics.close()

    expect(cloudWatch.sumOf('UserRecordsPut', 'StreamName=orders')).toBe(3)
  })
})

describe('when', () => {
  test('every 60 s from the start, and the rest at close', async () => {
    const observed = await new Observed().open()
    const cloudWatch = new FakeCloudWatch()
    const { clock } = observed.harness
    const metrics = new CloudWatchMetrics(observed, { client: cloudWatch, clock })
    const put = () => cloudWatch.sumOf('UserRecordsPut', 'StreamName=orders')

    await observed.send(['k', 'x'])
    await observed.harness.pass(58_000)
    const before = put()
    await observed.harness.pass(2_000)
    await settled()
    const after = put()
    await observed.send(['k', 'y'])
    await metrics.close()

    const atClose = put()
    await observed.send(['k', 'z'])
    await observed.harness.pass(120_000)
    await settled()
    expect([before, after, atClose, put()]).toEqual([0, 1, 2, 2])
  })

  test('an upload that takes longer than the delay is not overtaken', async () => {
    const observed = await new Observed().open()
    const cloudWatch = new FakeCloudWatch()
    let release = () => {}
    cloudWatch.hold = new Promise(resolve => {
      release = resolve
    })
    const metrics = new CloudWatchMetrics(observed, {
      client: cloudWatch,
      clock: observed.harness.clock,
      uploadDelayMs: 1_000,
      granularity: 'global',
      level: 'summary'
    })
    await observed.send(['k', 'x'])
    await observed.send(['k', 'y'])
    await observed.send(['k', 'z'])

    release()
    await metrics.close()

    expect(cloudWatch.sumOf('UserRecordsPut', '')).toBe(3)
    expect(cloudWatch.calls.length).toBe(2)
  })

  test('only by hand with an endless delay', async () => {
    const observed = await new Observed().open()
    const pendingCount = observed.harness.clock.pendingCount

    const metrics = new CloudWatchMetrics(observed, {
      client: new FakeCloudWatch(),
      clock: observed.harness.clock,
      uploadDelayMs: Number.POSITIVE_INFINITY
    })

    expect(observed.harness.clock.pendingCount).toBe(pendingCount)
    await metrics.close()
  })
})

describe('failures', () => {
  test('a failed upload is merged into the next, and nothing is counted twice', async () => {
    const { observed, cloudWatch, metrics, warnings } = await exporter({ granularity: 'global', level: 'summary' })
    cloudWatch.failures = 1
    await observed.send(['k', 'x'])

    await observed.harness.pass(60_000)
    await settled()
    const lost = [...cloudWatch.calls]
    await observed.send(['k', 'y'])
    await metrics.flush()

    const put = cloudWatch.data.filter(datum => datum.MetricName === 'UserRecordsPut')
    expect([lost, put.map(datum => datum.StatisticValues)]).toEqual([
      [],
      [{ SampleCount: 2, Sum: 2, Minimum: 1, Maximum: 1 }]
    ])
    expect(warnings).toEqual([['metrics upload failed, will go again', { error: 'Error: CloudWatch is away' }]])
  })

  test('of several calls only the failed one goes again', async () => {
    const { observed, cloudWatch, metrics } = await exporter({})
    await observed.send(['k', 'x'])
    cloudWatch.failures = 1

    await expect(metrics.flush()).rejects.toThrow('CloudWatch is away')
    await metrics.flush()

    const keys = cloudWatch.data.map(datum => `${datum.MetricName} ${chainOf(datum)}`)
    const repeated = keys.filter((key, i) => keys.indexOf(key) !== i)
    // The gauge has a sample in every upload.
    expect(new Set(repeated.map(key => key.split(' ')[0]))).toEqual(new Set(['UserRecordsPending']))
    expect(cloudWatch.sumOf('UserRecordsPut', '')).toBe(1)
  })

  test('a call is tried again at once as often as it is told', async () => {
    const { observed, cloudWatch, metrics } = await exporter({
      uploadRetries: 1,
      granularity: 'global',
      level: 'summary'
    })
    await observed.send(['k', 'x'])
    cloudWatch.failures = 1

    await metrics.flush()

    expect(cloudWatch.sumOf('UserRecordsPut', '')).toBe(1)
  })

  test.each(['client', 'write'] as const)(
    'a %s that never answers one call is reported, and the next one has its data',
    async way => {
      const cloudWatch = new FakeCloudWatch()
      const lines: string[] = []
      let silentCount = 1
      const answer = (): Promise<void> => (silentCount-- > 0 ? new Promise(() => {}) : Promise.resolve())
      const send = (command: object) => answer().then(() => cloudWatch.send(command))
      const write = (line: string) => answer().then(() => void lines.push(line))
      const sink = way === 'client' ? { client: { send } } : ({ client: undefined, write } as object)
      const { observed, metrics, warnings } = await exporter({ ...sink, granularity: 'global', level: 'summary' })
      await observed.send(['k', 'x'])

      await observed.harness.pass(60_000)
      await settled()
      await observed.harness.pass(10_000)
      await settled()
      await metrics.flush()

      const told = 'metrics upload failed, will go again'
      expect(warnings).toEqual([[told, { error: 'Error: no answer came within 10000 ms' }]])
      const put =
        way === 'client'
          ? cloudWatch.sumOf('UserRecordsPut', '')
          : lines.filter(line => /"UserRecordsPut":/.test(line)).length
      expect(put).toBe(1)
    }
  )

  test('a close ends at its time although the client ignores its signal', async () => {
    const { observed, metrics } = await exporter({ client: { send: () => new Promise(() => {}) } })
    await observed.send(['k', 'x'])

    const closed = metrics.close({ timeoutMs: 300 }).catch((error: Error) => error.name)
    await settled()
    await observed.harness.pass(300)

    expect(await closed).toBe('AbortError')
  })

  test.each([null, 300, { timeoutMs: -1 }, { timeout: 5 }])(
    'close(%j) is refused, and closes nothing',
    async argument => {
      const { observed, cloudWatch, metrics } = await exporter({ granularity: 'global', level: 'summary' })
      await observed.send(['k', 'x'])

      await expect(metrics.close(argument as never)).rejects.toThrow(OptionsError)
      await metrics.close()

      expect(cloudWatch.sumOf('UserRecordsPut', '')).toBe(1)
    }
  )

  test('a constructor that throws leaves no window open', async () => {
    const observed = await new Observed().open()
    const make = (producers: readonly unknown[]) => () =>
      new CloudWatchMetrics(producers as never, { write: () => {}, clock: observed.harness.clock })

    for (let i = 0; i < MAX_WINDOWS; i++) expect(make([observed, undefined])).toThrow(OptionsError)

    expect(make([observed])).not.toThrow()
  })

  test('a close that cannot upload says so, and ends in time', async () => {
    const { observed, cloudWatch, metrics } = await exporter({})
    await observed.send(['k', 'x'])
    cloudWatch.failures = 1_000

    const pendingCount = observed.harness.clock.pendingCount

    await expect(metrics.close()).rejects.toThrow('CloudWatch is away')
    expect(observed.harness.clock.pendingCount).toBe(pendingCount - 1)
  })
})

describe('options', () => {
  test('every fault is named', async () => {
    const observed = await new Observed().open()
    const options = {
      namespace: 'AWS/Kinesis',
      level: 'all',
      granularity: 'host',
      uploadDelayMs: 0,
      uploadRetries: 11,
      dimensions: [
        { name: 'ShardId', value: 'x', granularity: 'global' },
        { name: 'Twice', value: 'x', granularity: 'global' },
        { name: 'Twice', value: 'x'.repeat(1025), granularity: 'host' }
      ]
    } as unknown as CloudWatchOptions

    expect(faultsOf(() => new CloudWatchMetrics(observed, options))).toEqual([
      'give either client or write',
      'namespace must have 1 to 255 characters and not begin with AWS/',
      'level must be none, summary or detailed, got all',
      'granularity must be global, stream or shard, got host',
      'uploadDelayMs must be 1 to 60000 or Infinity, got 0',
      'uploadRetries must be 0 to 10',
      'dimension ShardId has a name that is taken',
      'the value of dimension Twice must have 1 to 1024 characters',
      'dimension Twice must have a granularity, got host',
      'two dimensions have one name'
    ])
  })

  test('a CloudWatchClient of the SDK will do', () => {
    const take = (client: CloudWatchClient): CloudWatchClientLike => client

    expect(take).toBeTypeOf('function')
  })
})

/** An exporter that waits for `flush`, over a stream of one shard. */
async function exporter(options: Partial<CloudWatchOptions>) {
  const observed = await new Observed().open()
  const cloudWatch = new FakeCloudWatch()
  const warnings: unknown[] = []
  const warn = (...args: unknown[]) => warnings.push(args)
  const metrics = new CloudWatchMetrics(observed, {
    client: cloudWatch,
    clock: observed.harness.clock,
    logger: { debug() {}, info() {}, warn, error() {} },
    uploadRetries: 0,
    ...options
  })
  return { observed, cloudWatch, metrics, warnings }
}

/** One upload of everything there is: two shards, errors, retries and an expired record. */
async function uploaded(options: Partial<CloudWatchOptions>) {
  const observed = await new Observed({ shardCount: 2, recordTtlMs: 3_000 }).open()
  const cloudWatch = new FakeCloudWatch()
  const clock = observed.harness.clock
  const metrics = new CloudWatchMetrics(observed, { client: cloudWatch, clock, uploadDelayMs: 60_000, ...options })
  await observed.send([KEYS[0], 'a'], [KEYS[1], 'b'])
  for (const shardId of SHARDS) {
    observed.harness.faults.add({
      match: { operation: 'PutRecords', streamName: STREAM },
      action: { kind: 'throttle', shardIds: [shardId] }
    })
  }
  observed.put(KEYS[0], 'c')
  await observed.harness.pass(5_000)
  observed.harness.faults.clear()
  await metrics.flush()
  return { observed, cloudWatch, metrics }
}

function chainOf(datum: {
  readonly Dimensions?: { Name?: string | undefined; Value?: string | undefined }[] | undefined
}) {
  return (datum.Dimensions ?? []).map(({ Name, Value }) => `${Name}=${Value}`).join(' ')
}

/** Lets the upload of a timer end: it imports the SDK the first time. */
async function settled(): Promise<void> {
  await import('@aws-sdk/client-cloudwatch')
  for (let i = 0; i < 10; i++) await microtasks()
}

function faultsOf(run: () => unknown): readonly string[] {
  try {
    run()
  } catch (error) {
    if (error instanceof OptionsError) return error.faults
    throw error
  }
  return []
}
