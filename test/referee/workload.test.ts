import { expect, test } from 'vitest'
import { MEBIBYTE } from '../../src/model/limits.ts'
import { aggregateOf, groupsOf, userRecordsOf } from './aggregates.ts'
import { compareContent, countDifferences } from './content.ts'
import { formatGroups, parseGroups } from './groups.ts'
import { formatUserRecord, parseUserRecord } from './user-record.ts'
import { workload } from './workload.ts'

const record = { partitionKey: 'élève\t🚀', explicitHashKey: '0', data: Buffer.from([0, 9, 10, 255]) }
const other = { partitionKey: 'b', explicitHashKey: undefined, data: Buffer.alloc(0) }

test('the same seed gives the same user records, and another seed gives others', () => {
  const [first, again, second] = [1, 1, 2].map(seed => workload({ seed, count: 50 }).map(formatUserRecord))

  expect([again, second?.join() === first?.join()]).toEqual([first, false])
})

test('a workload has what implementations disagree about, and fits into Kinesis records', () => {
  const records = workload({ seed: 1, count: 2_000, largeCount: 4 })
  const keys = new Set(records.map(({ partitionKey }) => partitionKey))
  const hashKeys = new Set(records.map(({ explicitHashKey }) => explicitHashKey))
  const bytes = records.map(({ partitionKey, data }) => Buffer.byteLength(partitionKey) + data.byteLength)

  expect({
    keys: ['0', '7', '__proto__', '👩‍👩‍👧 🚀'].every(key => keys.has(key)),
    hashKeys: [undefined, '0', String((1n << 128n) - 1n)].every(hashKey => hashKeys.has(hashKey)),
    empty: records.some(({ data }) => data.byteLength === 0),
    largest: Math.max(...bytes)
  }).toEqual({ keys: true, hashKeys: true, empty: true, largest: MEBIBYTE })
})

test('groups come back from a file as they were, empty data and tabs in keys included', () => {
  const groups = [[record, other], [other]]

  const parsed = parseGroups(formatGroups(groups))

  expect(parsed).toEqual(groups)
})

test('a file that ends within a group is refused', () => {
  const text = formatGroups([[record, other]])
    .split('\n')
    .slice(0, 2)
    .join('\n')

  expect(() => parseGroups(text)).toThrow('the file ends within group 0')
})

test('a line with another number of fields is refused', () => {
  expect(() => parseUserRecord('a\tb')).toThrow('not a line of a user record: 3 characters, 2 fields')
})

test('groups keep the order of the records, and their aggregates give them back', () => {
  const records = workload({ seed: 3, count: 400 })

  const groups = groupsOf(records, 3)

  const read = groups.flatMap(group => userRecordsOf(aggregateOf(group)))
  expect({
    smallest: Math.min(...groups.map(group => group.length)),
    differences: countDifferences(groups.flat(), read)
  }).toEqual({ smallest: 2, differences: 0 })
})

test('contents are compared without their order: lost, foreign and repeated records are counted apart', () => {
  const changed = { ...record, data: Buffer.from([0, 9, 10, 254]) }

  const differences = [
    compareContent([record, other], [other, record]),
    compareContent([record, other], [other, other]),
    compareContent([record], [changed]),
    compareContent([record], [{ ...record, explicitHashKey: undefined }])
  ]

  expect(differences).toEqual([
    { missing: 0, foreign: 0, repeated: 0 },
    { missing: 1, foreign: 0, repeated: 1 },
    { missing: 1, foreign: 1, repeated: 0 },
    { missing: 1, foreign: 1, repeated: 0 }
  ])
})

test('lists are compared place by place', () => {
  expect([
    countDifferences([record, other], [record, other]),
    countDifferences([record, other], [other, record]),
    countDifferences([record], [record, other])
  ]).toEqual([0, 2, 1])
})
