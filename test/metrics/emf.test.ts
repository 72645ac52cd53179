import { expect, test } from 'vitest'
import { CloudWatchMetrics } from '../../src/metrics/cloudwatch.ts'
import { KEYS, Observed, SHARDS } from './fixture.ts'

const TIMESTAMP_MS = 1_790_000_000_123
const UNITS = ['Count', 'Bytes', 'Milliseconds']

interface EmfDocument {
  readonly _aws: {
    readonly Timestamp: number
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string
      readonly Dimensions: readonly (readonly string[])[]
      readonly Metrics: readonly { readonly Name: string; readonly Unit?: string }[]
    }[]
  }
  readonly [member: string]: unknown
}

test('every line is a document that follows the specification', async () => {
  const { lines } = await written()

  expect(lines.flatMap(line => faultsOf(line))).toEqual([])
  expect(lines.length).toBe(4)
})

test('a document has the metrics of one set of dimensions as statistic sets', async () => {
  const { documents } = await written()

  const ofShard = documents.find(document => document['ShardId'] === SHARDS[1])!
  expect(ofShard).toEqual({
    _aws: {
      Timestamp: TIMESTAMP_MS,
      CloudWatchMetrics: [
        {
          Namespace: 'Orders',
          Dimensions: [['StreamName', 'ShardId']],
          Metrics: [
            { Name: 'AllErrors', Unit: 'Count' },
            { Name: 'BufferingTime', Unit: 'Milliseconds' },
            { Name: 'KinesisRecordsPut', Unit: 'Count' },
            { Name: 'UserRecordsPut', Unit: 'Count' }
          ]
        }
      ]
    },
    StreamName: 'orders',
    ShardId: SHARDS[1],
    AllErrors: { Max: 0, Min: 0, Count: 1, Sum: 0 },
    BufferingTime: { Max: 100, Min: 100, Count: 2, Sum: 200 },
    KinesisRecordsPut: { Max: 1, Min: 1, Count: 1, Sum: 1 },
    UserRecordsPut: { Max: 1, Min: 1, Count: 2, Sum: 2 }
  })
})

test('a line that could not be written goes with the next, once', async () => {
  const observed = await new Observed().open()
  const lines: string[] = []
  let failures = 1
  const write = (line: string) => {
    if (failures-- > 0) throw new Error('no room on the disk')
    lines.push(line)
  }
  const metrics = new CloudWatchMetrics(observed, { ...options, write, granularity: 'global' })
  await observed.send(['k', 'x'])

  await expect(metrics.flush()).rejects.toThrow('no room on the disk')
  await metrics.flush()
  await metrics.close()

  const sets = lines.map(line => (JSON.parse(line) as EmfDocument)['UserRecordsPut'])
  expect(sets).toEqual([{ Max: 1, Min: 1, Count: 1, Sum: 1 }])
})

const options = { namespace: 'Orders', level: 'summary', uploadDelayMs: Number.POSITIVE_INFINITY } as const

async function written() {
  const observed = await new Observed({ shardCount: 2 }).open()
  const lines: string[] = []
  const write = (line: string) => lines.push(line)
  const metrics = new CloudWatchMetrics(observed, { ...options, write, wallMs: () => TIMESTAMP_MS })
  await observed.send([KEYS[0], 'a'], [KEYS[1], 'b'], [KEYS[1], 'c'])
  await metrics.close()
  return { lines, documents: lines.map(line => JSON.parse(line) as EmfDocument) }
}

/** What the specification's words "MUST" say of a document. */
function faultsOf(line: string): string[] {
  const document = JSON.parse(line) as EmfDocument
  const { Timestamp, CloudWatchMetrics: directives } = document._aws
  return [
    ...(line.includes('\n') ? ['a line break'] : []),
    ...(Buffer.byteLength(line) <= 262_144 ? [] : ['larger than 256 KB']),
    ...(Number.isInteger(Timestamp) ? [] : ['Timestamp is no integer']),
    ...(directives.length > 0 ? [] : ['no directive']),
    ...directives.flatMap(({ Namespace, Dimensions, Metrics }) => [
      ...(Namespace.length >= 1 && Namespace.length <= 255 ? [] : ['Namespace']),
      ...(Metrics.length >= 1 && Metrics.length <= 100 ? [] : ['number of metrics']),
      ...(Dimensions.length > 0 && Dimensions.every(set => set.length <= 30) ? [] : ['number of dimensions']),
      ...Dimensions.flat().filter(name => typeof document[name] !== 'string'),
      ...Metrics.filter(({ Unit }) => !UNITS.includes(Unit ?? 'None')).map(({ Name }) => `unit of ${Name}`),
      ...Metrics.filter(({ Name }) => !isStatisticSet(document[Name])).map(({ Name }) => `value of ${Name}`)
    ])
  ]
}

function isStatisticSet(value: unknown): boolean {
  const fields = Object.entries(value as object)
  return (
    fields.map(([name]) => name).join() === 'Max,Min,Count,Sum' && fields.every(([, part]) => Number.isFinite(part))
  )
}
