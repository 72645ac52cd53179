/** The dashboards of examples/dashboards, held against what the exporters really write. */
import { readFileSync } from 'node:fs'
import { parser } from '@prometheus-io/lezer-promql'
import { expect, test } from 'vitest'
import { CloudWatchMetrics } from '../../src/metrics/cloudwatch.ts'
import { prometheusText } from '../../src/metrics/prometheus.ts'
import { parsePrometheus } from '../support/prometheus-text.ts'
import { KEYS, Observed, SHARDS } from './fixture.ts'

/** Prometheus itself adds them to every series that it reads. */
const LABELS_OF_THE_SCRAPE = ['job', 'instance']
const PLACEHOLDER = 'STREAM_NAME'

interface Target {
  readonly refId: string
  readonly expr: string
  readonly legendFormat: string
}

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly Target[]
}

interface GrafanaDashboard {
  readonly title: string
  readonly uid: string
  readonly schemaVersion: number
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] }
  readonly panels: readonly Panel[]
}

type CloudWatchMetric = readonly (string | Readonly<Record<string, unknown>>)[]

interface CloudWatchDashboard {
  readonly variables: readonly Readonly<Record<string, unknown>>[]
  readonly widgets: readonly (Box & {
    readonly type: string
    readonly properties: {
      readonly title: string
      readonly region: string
      readonly metrics: readonly CloudWatchMetric[]
    }
  })[]
}

const grafana = read<GrafanaDashboard>('grafana.json')
const cloudWatch = read<CloudWatchDashboard>('cloudwatch.json')

function read<Dashboard>(file: string): Dashboard {
  return JSON.parse(readFileSync(new URL(`../../examples/dashboards/${file}`, import.meta.url), 'utf8'))
}

/** Two shards, a throttled record, one that expired and one that found no room. `start` runs before all of it. */
async function busy(start: (observed: Observed) => void = () => {}): Promise<Observed> {
  const observed = await new Observed({ shardCount: 2, bufferMaxRecords: 2, recordTtlMs: 3_000 }).open()
  const match = { operation: 'PutRecords' }
  start(observed)
  observed.harness.faults.add({ match, action: { kind: 'throttle', shardIds: [SHARDS[0]] }, times: 1 })
  await observed.send([KEYS[0], 'abc'], [KEYS[1], 'abcde'])
  const stop = observed.harness.faults.add({ match, action: { kind: 'throttle' } })
  await observed.send([KEYS[0], 'expires'], [KEYS[1], 'expires'], [KEYS[1], 'refused'])
  await observed.harness.pass(5_000)
  stop()
  return observed
}

/** Label names by the name of the sample. */
async function prometheusSamples(): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>()
  for (const { samples } of parsePrometheus(prometheusText(await busy())).values()) {
    for (const key of samples.keys()) {
      const name = key.split('{')[0]!
      const labels = [...key.matchAll(/[{,](\w+)="/g)].map(([, label]) => label!)
      found.set(name, new Set([...(found.get(name) ?? []), ...labels]))
    }
  }
  return found
}

interface Query {
  readonly selectors: readonly { readonly name: string; readonly labels: readonly string[] }[]
  /** Labels of `by` and of the legend. */
  readonly otherLabels: readonly string[]
}

/** Reads a query by Prometheus' own grammar. Throws when it is not one. */
function queryOf({ expr, legendFormat }: Target): Query {
  const text = expr.replaceAll('$__rate_interval', '5m')
  const selectors: { name: string; labels: string[] }[] = []
  const otherLabels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!)
  let depth = 0
  let selectorDepth = Number.POSITIVE_INFINITY
  parser.parse(text).iterate({
    enter(node) {
      depth++
      const own = text.slice(node.from, node.to)
      if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${text}`)
      if (node.name === 'VectorSelector') {
        selectorDepth = depth
        selectors.push({ name: '', labels: [] })
      }
      const isInSelector = depth > selectorDepth
      if (node.name === 'Identifier' && isInSelector) selectors.at(-1)!.name = own
      if (node.name === 'LabelName') (isInSelector ? selectors.at(-1)!.labels : otherLabels).push(own)
    },
    leave() {
      if (depth === selectorDepth) selectorDepth = Number.POSITIVE_INFINITY
      depth--
    }
  })
  return { selectors, otherLabels }
}

const targets = grafana.panels.flatMap(({ targets: of = [] }) => of)

test('the Grafana dashboard has panels of its own places, each with queries or a row', () => {
  const graphs = grafana.panels.filter(({ type }) => type !== 'row')

  expect(new Set(grafana.panels.map(({ id }) => id)).size).toBe(grafana.panels.length)
  expect(
    graphs.filter(({ type, title, targets: of = [] }) => type !== 'timeseries' || title === '' || of.length === 0)
  ).toEqual([])
  expect(graphs.filter(({ targets: of = [] }) => new Set(of.map(({ refId }) => refId)).size !== of.length)).toEqual([])
  expect(overlaps(grafana.panels.map(({ gridPos: { x, y, w, h } }) => ({ x, y, width: w, height: h })))).toEqual([])
  expect(grafana.templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'stream'])
})

test('every query of the Grafana dashboard is PromQL on samples and labels that the exporter writes', async () => {
  const samples = await prometheusSamples()

  const faults = targets.flatMap(target => {
    const { selectors, otherLabels } = queryOf(target)
    const all = selectors.flatMap(({ name }) => [...(samples.get(name) ?? [])])
    const unknown = (labels: readonly string[], known: readonly string[]) =>
      labels.filter(label => !known.includes(label) && !LABELS_OF_THE_SCRAPE.includes(label))
    return [
      ...selectors.filter(({ name }) => !samples.has(name)).map(({ name }) => `no sample ${name}`),
      ...selectors.flatMap(({ name, labels }) => unknown(labels, [...(samples.get(name) ?? [])])),
      ...unknown(otherLabels, all)
    ]
  })

  expect(faults).toEqual([])
})

test('the variables of the Grafana dashboard ask for labels that are there', async () => {
  const samples = await prometheusSamples()

  const asked = grafana.templating.list.flatMap(({ definition }) =>
    definition === undefined ? [] : [/^label_values\((\w+)(?:\{.*\})?, (\w+)\)$/.exec(definition)!.slice(1)]
  )

  const isThere = ([name, label]: readonly string[]) =>
    samples.get(name!)?.has(label!) === true || (samples.has(name!) && LABELS_OF_THE_SCRAPE.includes(label!))
  expect(asked.map(isThere)).toEqual([true, true])
})

test('the Grafana dashboard shows every metric that the exporter writes', async () => {
  const families = [...parsePrometheus(prometheusText(await busy())).keys()]

  const shown = new Set(targets.flatMap(target => queryOf(target).selectors.map(({ name }) => name)))

  const isShown = (family: string) => [...shown].some(name => name.replace(/_(?:bucket|sum|count)$/, '') === family)
  expect(families.filter(family => !isShown(family) && !shown.has(family))).toEqual([])
})

test('a query on a sample or a label that is not there is found', () => {
  const query = queryOf({
    refId: 'A',
    expr: 'sum by (color) (rate(gone_total{stream=~"$stream", size="1"}[5m]))',
    legendFormat: '{{shape}}'
  })

  expect(query).toEqual({
    selectors: [{ name: 'gone_total', labels: ['stream', 'size'] }],
    otherLabels: ['shape', 'color']
  })
  expect(() => queryOf({ refId: 'A', expr: 'sum by (', legendFormat: '' })).toThrow('no PromQL')
})

/** Every metric that the exporter uploads by default, with the sets of dimensions that it has. */
async function cloudWatchMetrics(): Promise<Map<string, Set<string>>> {
  const lines: string[] = []
  let metrics: CloudWatchMetrics | undefined
  await busy(observed => {
    metrics = new CloudWatchMetrics(observed, {
      write: line => lines.push(line),
      uploadDelayMs: Number.POSITIVE_INFINITY
    })
  })
  await metrics?.close()
  const found = new Map<string, Set<string>>()
  for (const line of lines) {
    const [directive] = JSON.parse(line)._aws.CloudWatchMetrics
    for (const { Name } of directive.Metrics) {
      const key = `${directive.Namespace} ${Name}`
      found.set(key, new Set([...(found.get(key) ?? []), directive.Dimensions[0].join()]))
    }
  }
  return found
}

interface Asked {
  readonly key: string
  readonly dimensions: string
  /** The values that are written out, by dimension. */
  readonly values: readonly string[]
}

const SEARCH = /SEARCH\('\{(\w+),([\w,]+)\} StreamName="(\w+)" MetricName="(\w+)"', '\w+', 60\)/

function askedBy(metric: CloudWatchMetric): Asked {
  const [first] = metric
  if (typeof first === 'object') {
    const [, namespace, dimensions, stream, name] = SEARCH.exec(String(first['expression']))!
    return { key: `${namespace} ${name}`, dimensions: dimensions!, values: [stream!] }
  }
  const words = metric.filter(word => typeof word === 'string')
  const [namespace, name, ...pairs] = words
  const at = (rest: number) => pairs.filter((_, i) => i % 2 === rest)
  return { key: `${namespace} ${name}`, dimensions: at(0).join(), values: at(1) }
}

const asked = cloudWatch.widgets.flatMap(({ properties }) => properties.metrics.map(askedBy))

test('the CloudWatch dashboard has metric widgets in places of their own, and one variable for the stream', () => {
  expect(cloudWatch.widgets.filter(({ type, properties }) => type !== 'metric' || properties.title === '')).toEqual([])
  expect(overlaps(cloudWatch.widgets)).toEqual([])
  expect(cloudWatch.variables.find(({ id }) => id === 'stream')).toMatchObject({
    type: 'pattern',
    pattern: PLACEHOLDER
  })
})

test('every metric of the CloudWatch dashboard is uploaded with those dimensions', async () => {
  const uploaded = await cloudWatchMetrics()

  const faults = asked.filter(({ key, dimensions }) => uploaded.get(key)?.has(dimensions) !== true)

  expect(faults).toEqual([])
  expect(new Set(asked.flatMap(({ values }) => values))).toEqual(new Set([PLACEHOLDER]))
})

test('the CloudWatch dashboard shows every metric that is uploaded', async () => {
  const uploaded = await cloudWatchMetrics()

  const shown = asked.map(({ key }) => key)

  expect([...uploaded.keys()].filter(key => !shown.includes(key))).toEqual([])
})

test('the variable for the stream searches what is uploaded', async () => {
  const uploaded = await cloudWatchMetrics()

  const { search, populateFrom } = cloudWatch.variables.find(({ id }) => id === 'stream')!

  const [, namespace, dimensions, name] = /^\{(\w+),(\w+)\} MetricName="(\w+)"$/.exec(String(search))!
  expect(uploaded.get(`${namespace} ${name}`)?.has(dimensions!)).toBe(true)
  expect(populateFrom).toBe(dimensions)
})

/** Pairs of boxes that cover each other. */
function overlaps(boxes: readonly Box[]): (readonly [Box, Box])[] {
  return boxes.flatMap((left, i) =>
    boxes.slice(i + 1).flatMap(right => {
      const isApart =
        left.x + left.width <= right.x ||
        right.x + right.width <= left.x ||
        left.y + left.height <= right.y ||
        right.y + right.height <= left.y
      return isApart ? [] : [[left, right] as const]
    })
  )
}
