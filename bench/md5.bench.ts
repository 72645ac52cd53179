/**
 * MD5 of lists in lanes against node:crypto one by one: by length, by how many there are, and of mixed lengths.
 * Verified before it is timed: every digest is node:crypto's.
 */
import { hash } from 'node:crypto'
import { seededRandom } from '../src/testing/index.ts'
import { compileLanes, type Md5Lanes } from '../src/wire/md5-lanes.ts'
import { md5OfAll } from '../src/wire/md5-list.ts'
import { meterSync } from './harness/meter.ts'
import { type Cell, metric, type Report } from './harness/report.ts'
import { scaled } from './harness/settings.ts'

const LENGTHS = [1_000, 10_000, 51_200, 1_048_576]
const COUNTS = [1, 2, 3, 4, 6, 8, 100]
const USUAL_COUNT = 8
const USUAL_LENGTH = 51_200
const BYTES_PER_ROUND = scaled(100_000_000, 10_000_000)
const ROUNDS = scaled(9, 3)

type HashAll = (pieces: readonly Uint8Array[]) => Uint8Array

export async function run(): Promise<Report> {
  const lanes = compileLanes()
  if (lanes === undefined) throw new Error('this host has no WebAssembly SIMD')
  // Past the bytes before which `md5OfAll` compiles no lanes.
  md5OfAll(piecesOf(Array.from({ length: USUAL_COUNT }, () => 2_000_000)))
  const inLanes: HashAll = pieces => laneDigests(lanes, pieces)
  const mixed = [10, 20, 100].map(count => ({
    name: `${count} of mixed lengths to ${USUAL_LENGTH}`,
    pieces: mixedOf(count)
  }))
  return {
    title: 'MD5',
    tables: [
      {
        title: `MD5 of ${USUAL_COUNT} of one length in lanes`,
        columns: columnsWith('bytes'),
        rows: LENGTHS.map(length => rowOf(`${length}`, piecesOf(Array(USUAL_COUNT).fill(length)), inLanes))
      },
      {
        title: `MD5 of several of ${USUAL_LENGTH} bytes in lanes, also where node:crypto is taken instead`,
        columns: columnsWith('count'),
        rows: COUNTS.map(count => rowOf(`${count}`, piecesOf(Array(count).fill(USUAL_LENGTH)), inLanes))
      },
      {
        title: 'MD5 of a list, whichever way is taken',
        columns: columnsWith('list'),
        rows: mixed.map(({ name, pieces }) => rowOf(name, pieces, md5OfAll))
      }
    ],
    plots: []
  }
}

function columnsWith(first: string): string[] {
  return [first, 'ours', 'node:crypto', 'ours / node:crypto']
}

/** Both take turns, so that what disturbs the machine disturbs both. */
function rowOf(name: string, pieces: readonly Uint8Array[], hashAll: HashAll): Cell[] {
  const expected = pieces.map(piece => hash('md5', piece)).join('')
  if (Buffer.from(hashAll(pieces)).toString('hex') !== expected) throw new Error(`a digest of ${name} is wrong`)
  const rounds = Array.from({ length: ROUNDS }, () => ({
    ours: rateOf(pieces, () => void hashAll(pieces)),
    crypto: rateOf(pieces, () => {
      for (const piece of pieces) hash('md5', piece, 'binary')
    })
  }))
  return [
    name,
    metric(
      'bytes/CPU s',
      rounds.map(({ ours }) => ours)
    ),
    metric(
      'bytes/CPU s',
      rounds.map(({ crypto }) => crypto)
    ),
    metric(
      'times',
      rounds.map(({ ours, crypto }) => ours / crypto)
    )
  ]
}

function rateOf(pieces: readonly Uint8Array[], work: () => void): number {
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
  const times = Math.ceil(BYTES_PER_ROUND / bytes)
  const { cpuMs } = meterSync(() => {
    for (let i = 0; i < times; i++) work()
  })
  return (bytes * times * 1000) / cpuMs
}

function laneDigests(lanes: Md5Lanes, pieces: readonly Uint8Array[]): Uint8Array {
  const digests = new Uint8Array(pieces.length * 16)
  lanes.digest(pieces, [...pieces.keys()], digests)
  return digests
}

function piecesOf(lengths: readonly number[]): Uint8Array[] {
  return lengths.map((length, i) => new Uint8Array(Buffer.alloc(length, `message ${i}`)))
}

function mixedOf(count: number): Uint8Array[] {
  const random = seededRandom('md5')
  return piecesOf(Array.from({ length: count }, () => 1 + Math.floor(random() * USUAL_LENGTH)))
}
