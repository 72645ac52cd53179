/** Run by envelope-digest.test.ts in processes of its own: says whether there are lanes, and which digests are wrong. */
import { hash } from 'node:crypto'
import { writeDigests } from '../../src/wire/envelope-digest.ts'
import { compileLanes } from '../../src/wire/md5-lanes.ts'

const wrong: number[] = []
for (let round = 0; round < 4; round++) {
  const envelopes = Array.from({ length: 60 }, (_, i) => Buffer.alloc(20 + i * 1500, `${round} ${i}`))
  writeDigests(envelopes)
  for (const bytes of envelopes) {
    const end = bytes.length - 16
    if (bytes.subarray(end).toString('hex') !== hash('md5', bytes.subarray(4, end))) wrong.push(bytes.length)
  }
}
process.stdout.write(JSON.stringify({ hasLanes: compileLanes() !== undefined, wrong }))
