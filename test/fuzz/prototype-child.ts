/**
 * Entry of a process of its own (see `child.ts`): round trips of hostile keys with Object.prototype as PROTOTYPE says.
 * Invariant: the prototype is changed after all modules are loaded, as a dependency of somebody's would, and before the
 * first call; nothing that is compared goes through a prototype.
 */
import { aggregate, aggregateInfo, type DeaggregateOptions, deaggregate } from '../../src/consumer/deaggregate.ts'
import { HOSTILE_KEYS } from './hostile-keys.ts'
import { type Below, numbersOf } from './mutants.ts'

const { PROTOTYPE: prototype, RULE: rule, ROUNDS, SEED } = process.env
const rounds = Number(ROUNDS)
const seed = Number(SEED ?? (Math.random() * 2 ** 31) | 0)
const faults: string[] = []
/** Everything is inside, so that every rule keeps everything; 'keep' does not look. */
const options: DeaggregateOptions = {
  onCorrupt: 'throw',
  outOfRange: rule === 'kcl' || rule === 'filter' ? rule : 'keep',
  shardRange: { startingHashKey: 0n, endingHashKey: (1n << 128n) - 1n },
  maxUserRecords: undefined,
  copy: undefined
}
const PUT_THERE = [...HOSTILE_KEYS, 'index', 'count', 'bytes', 'text', 'enumerable', 'polluted']
const NUMBERS = ['0', '1', '2', '3', '10', '17']
/** Node itself stops working without these. */
const LEFT_ALONE = new Set(['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', 'length'])

if (prototype === 'frozen')
  for (const builtIn of [Object, Array, String, Map, Uint8Array, Buffer, Error, BigInt, Number]) {
    Object.freeze(builtIn.prototype)
    Object.freeze(builtIn)
  }
if (prototype === 'polluted')
  PUT_THERE.filter(name => !LEFT_ALONE.has(name) && !NUMBERS.includes(name)).forEach(pollute)
if (prototype === 'polluted with numbers') NUMBERS.forEach(pollute)

for (let round = 0; round < rounds && faults.length === 0; round++) roundTrip(round, numbersOf(seed + round))
process.stdout.write(
  `{"prototype":"${prototype}","rounds":${rounds},"seed":${seed},"faults":${JSON.stringify(faults)}}`
)

/** Enumerable and writable, as `target[key] = value` with a key of `__proto__` makes it. */
function pollute(name: string): void {
  ;(Object.prototype as unknown as Record<string, unknown>)[name] = `polluted ${name}`
}

function roundTrip(round: number, below: Below): void {
  const count = 2 + below(8)
  const keys: string[] = []
  const hashKeys: (string | undefined)[] = []
  const data: Uint8Array[] = []
  const records = []
  for (let i = 0; i < count; i++) {
    keys.push(HOSTILE_KEYS[below(HOSTILE_KEYS.length)]!)
    hashKeys.push(below(2) === 0 ? String(below(20)) : undefined)
    data.push(new Uint8Array(below(20)).fill(below(256)))
    records.push({ partitionKey: keys[i]!, explicitHashKey: hashKeys[i], data: data[i]! })
  }

  let at = 0
  for (const sealed of aggregate(records, { maxBytes: 1 << 20, maxUserRecords: undefined })) {
    const { partitionKeys } = aggregateInfo(sealed.data)
    for (const key of keys) if (!partitionKeys.includes(key)) faults.push(`${seed} ${round}: key not in the table`)
    for (const { partitionKey, explicitHashKey, data: found } of deaggregate(sealed.data, options)) {
      const isSame =
        partitionKey === keys[at] && explicitHashKey === hashKeys[at] && Buffer.compare(found, data[at]!) === 0
      if (!isSame) faults.push(`${seed} ${round}: member ${at}`)
      at++
    }
  }
  if (at !== count) faults.push(`${seed} ${round}: ${at} of ${count} members`)
}
