/** Exporters refuse what is no producer, no snapshot or no option at the call, with an error that names it. */
import { expect, test } from 'vitest'
import { KinesisProducer, OptionsError } from '../../src/index.ts'
import { CloudWatchMetrics } from '../../src/metrics/cloudwatch.ts'
import { formatStats, MetricsWindow } from '../../src/metrics/index.ts'
import { openTelemetry } from '../../src/metrics/otel.ts'
import { prometheusText } from '../../src/metrics/prometheus.ts'

const producer = new KinesisProducer({ streamName: 'orders', region: 'eu-west-1' })
const wrong = (value: unknown): never => value as never

test.each<[string, () => unknown, string]>([
  [
    'formatStats of nothing',
    () => formatStats(wrong(undefined)),
    'formatStats: stats must be the result of producer.stats(), got undefined'
  ],
  [
    'formatStats of a producer',
    () => formatStats(wrong(producer)),
    'formatStats: stats must be the result of producer.stats(), got KinesisProducer; give its stats(), not the producer'
  ],
  [
    'a misspelt option',
    () => formatStats(producer.stats(), wrong({ maxRow: 5 })),
    'formatStats: maxRow is not an option, did you mean maxRows?'
  ],
  [
    'a negative number of rows',
    () => formatStats(producer.stats(), { maxRows: -1 }),
    'formatStats: maxRows must be a whole number from 1, got -1'
  ],
  [
    'a window on nothing',
    () => new MetricsWindow(wrong(null)),
    'MetricsWindow: source must be a KinesisProducer, got null'
  ],
  [
    'a window on a snapshot',
    () => new MetricsWindow(wrong(producer.stats())),
    'MetricsWindow: source must be a KinesisProducer, got Object; give the producer itself, not its stats()'
  ],
  [
    'prometheusText of a text',
    () => prometheusText(wrong('x')),
    'prometheusText: producers must be a KinesisProducer, got string'
  ],
  [
    'prometheusText of a number',
    () => prometheusText(wrong(5)),
    'prometheusText: producers must be a KinesisProducer, got number'
  ],
  [
    'prometheusText of a name without a producer',
    () => prometheusText(wrong({ checkout: undefined })),
    'prometheusText: producers["checkout"] must be a KinesisProducer, got undefined'
  ],
  [
    'another granularity',
    () => prometheusText(producer, wrong({ granularity: 'shards' })),
    "prometheusText: granularity must be 'stream' or 'shard', got string"
  ],
  [
    'openTelemetry of a snapshot by name',
    () => openTelemetry(wrong({ checkout: producer.stats() })),
    'openTelemetry: producers["checkout"] must be a KinesisProducer, got Object; give the producer itself, not its stats()'
  ],
  [
    'a provider that is none',
    () => openTelemetry(producer, wrong({ meterProvider: {} })),
    'openTelemetry: meterProvider must be an object with getMeter(), got object'
  ],
  [
    'CloudWatchMetrics without options',
    () => new CloudWatchMetrics(producer, wrong(undefined)),
    'CloudWatchMetrics: options must be an object, got undefined'
  ],
  [
    'a misspelt option of CloudWatchMetrics',
    () => new CloudWatchMetrics(producer, wrong({ write: () => {}, namspace: 'Shop' })),
    'CloudWatchMetrics: namspace is not an option, did you mean namespace?'
  ]
])('%s', (_what, call, message) => {
  expect(call).toThrow(OptionsError)
  expect(call).toThrow(new OptionsError([message]).message)
})
