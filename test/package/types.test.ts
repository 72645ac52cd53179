/** The compilers that people have, each in every way of theirs to look for a package. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compile, type PackedPackage, PROJECT, packPackage } from '../support/packed-package.ts'

interface Entry {
  readonly name: string
  readonly exported: readonly string[]
  readonly values: readonly string[]
  readonly classes: readonly string[]
}

/** Every name of every entry point, as the snapshot of the public API has them. */
const entries: readonly Entry[] = readFileSync(join(PROJECT, 'test/public-api.txt'), 'utf8')
  .split(/\n(?=\S)/)
  .map(section => {
    const found = [...section.matchAll(/^ {2}(class|const|function|interface|type) (\w+)/gm)]
    const named = (kinds: RegExp) => found.filter(([, kind]) => kinds.test(kind!)).map(([, , name]) => name!)
    return {
      name: section.split('\n')[0]!,
      exported: named(/./),
      values: named(/class|const|function/),
      classes: named(/class/)
    }
  })

/** What people write: options, a class of their own, errors told apart. */
const USE = `import { InvalidRecordError, KinesisProducer, RecordFailedError, type ProducerOptions, type UserRecord } from 'kinesis-producer'
import { aggregate, deaggregate } from 'kinesis-producer/deaggregate'
import { FakeKinesis, FaultPlan, InMemoryTransport, VirtualClock } from 'kinesis-producer/testing'

export const options: ProducerOptions = { streamName: 'orders', recordTtlMs: 5_000 }
export class OrderProducer extends KinesisProducer {}
export const clock = new VirtualClock()
export const kinesis = new FakeKinesis({ nowMs: () => clock.nowMs() })
export const transport = new InMemoryTransport({ kinesis, clock, faults: new FaultPlan() })
export const producer: KinesisProducer = new OrderProducer(options, { transport, clock })
export const record: UserRecord = { partitionKey: 'a', data: new Uint8Array([1]) }
export const told: Promise<string> = producer.put(record).then(
  result => result.shardId,
  error => {
    if (error instanceof RecordFailedError) return error.persisted
    if (error instanceof InvalidRecordError) return error.code
    throw error
  }
)
export const keys: string[] = [...aggregate([record])].flatMap(({ data }) => [...deaggregate(data)]).map(user => user.partitionKey)
// @ts-expect-error A name that is not there: the types are known, not "any".
export type { NoSuchName } from 'kinesis-producer'
`

let packed: PackedPackage
let at = ''

beforeAll(async () => {
  packed = await packPackage()
  at = packed.project('typed')
  const everyName = entries.map(
    ({ name, exported }, i) =>
      `export type * as types${i} from '${name}'\nimport type { ${exported.join(', ')} } from '${name}'`
  )
  const used = entries.flatMap(({ values }, i) => values.map(value => `values${i}.${value}`))
  const everyValue = entries.map(({ name }, i) => `import * as values${i} from '${name}'`)
  for (const extension of ['ts', 'cts', 'mts']) {
    writeFileSync(join(at, `use.${extension}`), USE)
    writeFileSync(join(at, `values.${extension}`), [...everyValue, `export const all = [${used}]`].join('\n'))
    for (const [i, text] of everyName.entries()) writeFileSync(join(at, `types-${i}.${extension}`), text)
  }
  writeFileSync(join(at, 'same.cts'), sameClasses())
})

afterAll(() => packed.remove())

/** Hands every class from CommonJS to ES modules and back: they have private members, so only one and the same fits. */
function sameClasses(): string {
  return entries
    .flatMap(({ name, classes }, i) => [
      `import type * as cjs${i} from '${name}'`,
      `import type * as esm${i} from '${name}' with { 'resolution-mode': 'import' }`,
      ...classes.map(
        (of, j) =>
          `export const same${i}_${j} = (there: esm${i}.${of}, back: cjs${i}.${of}): [cjs${i}.${of}, esm${i}.${of}] => [there, back]`
      )
    ])
    .join('\n')
}

const BOTH = ['*.cts', '*.mts']
/** TypeScript 7 has no node10. */
const WAYS: readonly (readonly [compiler: string, module: string, resolution: string, include: readonly string[]])[] = [
  ['typescript-5.4', 'commonjs', 'node10', ['*.ts']],
  ['typescript-5.4', 'node16', 'node16', BOTH],
  ['typescript-5.4', 'nodenext', 'nodenext', BOTH],
  ['typescript-5.4', 'esnext', 'bundler', ['*.ts']],
  ['typescript-5.9', 'commonjs', 'node10', ['*.ts']],
  ['typescript-5.9', 'node16', 'node16', BOTH],
  ['typescript-5.9', 'nodenext', 'nodenext', BOTH],
  ['typescript-5.9', 'esnext', 'bundler', ['*.ts']],
  ['typescript', 'node16', 'node16', BOTH],
  ['typescript', 'nodenext', 'nodenext', BOTH],
  ['typescript', 'esnext', 'bundler', ['*.ts']],
  ['typescript', 'commonjs', 'bundler', ['*.ts']]
]

test.each(WAYS)(
  '%s with module %s and moduleResolution %s knows every name',
  async (compiler, module, resolution, include) => {
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      types: ['node'],
      module,
      moduleResolution: resolution,
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true
    }
    writeFileSync(join(at, 'package.json'), JSON.stringify({ type: module === 'commonjs' ? 'commonjs' : 'module' }))
    writeFileSync(join(at, 'tsconfig.json'), JSON.stringify({ compilerOptions, include }))

    const { stdout } = await compile(at, compiler)

    expect(stdout).toBe('')
  }
)
