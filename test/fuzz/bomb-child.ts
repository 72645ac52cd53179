/**
 * Entry of a process of its own (see `child.ts`): iterates the bombs of BOMB_BYTES and prints what they took.
 * Invariant: live bytes are what is left when everything that can be freed was freed, heap and buffers together.
 */
import { deaggregate } from '../../src/consumer/deaggregate.ts'
import { KEY_BOMB_PART, KEY_BOMBS, MEMBER_BOMBS } from './bombs.ts'
import { framed } from './fields.ts'

const WARM_UP_BYTES = 4096
const SAMPLES = 7
const SMALLEST_MEMBER_BYTES = 6

const collectGarbage = (globalThis as unknown as { gc: () => void }).gc
const bombBytes = Number(process.env['BOMB_BYTES'])
const answers = [...MEMBER_BOMBS, ...KEY_BOMBS].map(({ name, bodyOf }, i) => {
  // The first time, code is compiled; what that takes is not the record's doing.
  iterate(framed(bodyOf(WARM_UP_BYTES)))
  const record = framed(bodyOf(i < MEMBER_BOMBS.length ? bombBytes : bombBytes / KEY_BOMB_PART))
  const beforeBytes = liveBytes()
  const { count, mostBytes } = iterate(record)
  return { name, recordBytes: record.length, count, extraBytes: mostBytes - beforeBytes }
})
process.stdout.write(JSON.stringify(answers))

/** Counts the members, and looks at the memory at the first and at some of the others. */
function iterate(record: Uint8Array): { count: number; mostBytes: number } {
  const every = Math.ceil(record.length / SMALLEST_MEMBER_BYTES / SAMPLES)
  let count = 0
  let mostBytes = 0
  for (const { data } of deaggregate(record, { onCorrupt: 'throw' })) {
    if (data.length > 0) throw new Error('the data is not empty')
    if (count++ % every === 0) mostBytes = Math.max(mostBytes, liveBytes())
  }
  return { count, mostBytes }
}

function liveBytes(): number {
  // Buffers are freed in the background; the second time waits for that.
  collectGarbage()
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
