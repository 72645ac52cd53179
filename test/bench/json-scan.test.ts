import { expect, test } from 'vitest'
import { scanJson } from '../../bench/sink/json-scan.ts'

const ENTRIES = [
  { PartitionKey: 'a', Data: Buffer.from('first').toString('base64') },
  { PartitionKey: 'b "quoted"', ExplicitHashKey: '42', Data: Buffer.from('second').toString('base64') }
]
const READ = [
  { partitionKey: 'a', explicitHashKey: undefined, text: 'first' },
  { partitionKey: 'b "quoted"', explicitHashKey: '42', text: 'second' }
]

test.each([
  ['compact, as the SDK writes it', JSON.stringify({ StreamName: 's', Records: ENTRIES })],
  ['indented with tabs, as the KPL writes it', JSON.stringify({ Records: ENTRIES, StreamName: 's' }, undefined, '\t')],
  ['with a tab behind each colon', JSON.stringify({ Records: ENTRIES }).replaceAll('":', '":\t')]
])('the sink reads a PutRecords body %s', (_, body) => {
  const entries = scanJson(Buffer.from(body))

  const read = entries.map(({ data, ...rest }) => ({ ...rest, text: data().toString() }))
  expect(read).toEqual(READ)
})

test.each([
  ['no list', '{"Records":{}}'],
  ['an entry that does not end', '{"Records":[{"Data":"" '],
  ['an unknown field', '{"Records":[{"Date":""}]}'],
  ['a name without a value', '{"Records":[{"Data" "x"}]}']
])('the sink refuses a body with %s', (_, body) => {
  expect(() => scanJson(Buffer.from(body))).toThrow()
})
