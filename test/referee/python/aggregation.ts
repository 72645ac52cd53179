/** aws-kinesis-agg of PyPI beside ours, both ways. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { aggregateOf, groupsOf } from '../aggregates.ts'
import { compareReading, compareWriting, countQuirks, withFirstHashKey } from '../codec.ts'
import { formatGroups, parseGroups } from '../groups.ts'
import { count, type Referee } from '../outcome.ts'
import { recordedUserRecord, recordedWorkload } from '../recording.ts'
import { buildPython, exchangeFiles, run, sourceFolder } from '../toolchain.ts'
import { toBase64, type UserRecord } from '../user-record.ts'
import { workload } from '../workload.ts'

const VERSION = '1.2.3'
/** It imports both. It names the first as a dependency without a version, and not the second. */
const IMPORTED = ['protobuf==7.36.2', 'six==1.17.0']
const PROGRAM = `aws-kinesis-agg ${VERSION} of PyPI`
const COUNT = 20_000
const LARGE_COUNT = 20

export const python: Referee = {
  what: 'aws-kinesis-agg of PyPI, both ways',
  needs: 'Python 3.10 or later with pip',
  async run(seed) {
    const { python, toolchain } = buildPython([`aws-kinesis-agg==${VERSION}`, ...IMPORTED])
    const groups = groupsOf(workload({ seed, count: COUNT, largeCount: LARGE_COUNT }), seed)
    const recorded = groupsOf(recordedWorkload(), 'recorded')
    const ours = groups.map(group => `${toBase64(aggregateOf(group))}\n`).join('')
    const read = parseGroups(await call(python, 'deaggregate', ours))
    const written = await write(python, groups)
    const writtenForRecord = await write(python, recorded)
    const reading = compareReading(PROGRAM, groups, read, withFirstHashKey)
    const note = `${count(countQuirks(groups))} without an explicit hash key are shown with that of another`
    const aggregates = recorded.map((group, i) => ({
      given: group.map(recordedUserRecord),
      data: toBase64(writtenForRecord[i]!)
    }))
    return {
      toolchain,
      comparisons: [{ ...reading, note }, ...compareWriting(PROGRAM, groups, written)],
      recordings: { 'pypi-aws-kinesis-agg': { program: PROGRAM, aggregates } }
    }
  }
}

async function write(python: string, groups: readonly (readonly UserRecord[])[]): Promise<Uint8Array[]> {
  const text = await call(python, 'aggregate', formatGroups(groups))
  const lines = text.split('\n').slice(0, -1)
  return lines.map(line => Buffer.from(line, 'base64'))
}

async function call(python: string, what: 'aggregate' | 'deaggregate', input: string): Promise<string> {
  const [inFile, outFile] = exchangeFiles('python')
  writeFileSync(inFile, input)
  await run(python, [join(sourceFolder('python'), 'aggregation.py'), what, inFile, outFile])
  return readFileSync(outFile, 'utf8')
}
