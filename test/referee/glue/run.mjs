/**
 * The Java library of the Glue Schema Registry (the KPL's and the KCL's own) against our fake registry, both ways: what it makes of
 * our frames, and what it writes. Needs Java 17 and Maven, so it is no part of `npm test`, which checks what it wrote here:
 *
 *   npm run build:dev && node test/referee/glue/run.mjs > test/glue/java-vectors.json
 *
 * Invariant: nothing of the file is made by hand; the library's answers stand in it as they came.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { FakeGlue, startFakeGlue } from '../../../build/src/testing/index.js'

const here = fileURLToPath(new URL('.', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'glue-'))
const classpathFile = join(work, 'classpath')
const ID = 'b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63'
const PREFIX = ID.replaceAll('-', '')

const AVRO = '{"type":"record","name":"Customer","fields":[{"name":"name","type":"string"}]}'
const JSON_SCHEMA =
  '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{"type":"number"}}}'
const NESTED =
  'syntax = "proto3"; package t; message B { string name = 1; message C { string name = 1; } ' +
  'message A { string name = 1; message D { string name = 1; } } }'
const ONE = 'syntax = "proto3"; package t; message Customer { string name = 1; }'
const MANY = `syntax = "proto3"; package t; ${Array.from({ length: 301 }, (_, i) => `message M${String(i).padStart(3, '0')} {}`).join(' ')}`

/** Frames of ours, and what only looks like some. */
const DECODE = [
  { what: 'JSON {"a":1}', format: 'JSON', definition: JSON_SCHEMA, frame: `0300${PREFIX}7b2261223a317d` },
  {
    what: 'JSON {"a":1}, zlib as one stored block',
    format: 'JSON',
    definition: JSON_SCHEMA,
    frame: `0305${PREFIX}7801010700f8ff7b2261223a317d082a0209`
  },
  { what: 'Avro Bob', format: 'AVRO', definition: AVRO, frame: `0300${PREFIX}06426f62` },
  { what: 'Protobuf type 0, Bob', format: 'PROTOBUF', definition: ONE, frame: `0300${PREFIX}000a03426f62` },
  { what: 'Protobuf type 2, Bob', format: 'PROTOBUF', definition: NESTED, frame: `0300${PREFIX}020a03426f62` },
  { what: 'Protobuf type 300, empty', format: 'PROTOBUF', definition: MANY, frame: `0300${PREFIX}ac02` },
  { what: 'an empty payload', format: 'AVRO', definition: AVRO, frame: `0300${PREFIX}` },
  { what: '17 bytes', format: 'AVRO', definition: AVRO, frame: `0300${PREFIX}`.slice(0, -2) },
  { what: 'another header version', format: 'AVRO', definition: AVRO, frame: `0200${PREFIX}06426f62` },
  { what: 'another compression', format: 'AVRO', definition: AVRO, frame: `0301${PREFIX}06426f62` },
  { what: 'zlib that is none', format: 'JSON', definition: JSON_SCHEMA, frame: `0305${PREFIX}00ff00ff` },
  {
    what: 'bytes behind the end of zlib',
    format: 'JSON',
    definition: JSON_SCHEMA,
    frame: `0305${PREFIX}7801010700f8ff7b2261223a317d082a0209ffff`
  }
]
const hex = text => Buffer.from(text).toString('hex')
const LONG = JSON.stringify({ a: 1, text: 'again and '.repeat(50) })
/** Data that are serialized already, as the KPL takes them. */
const ENCODE = [
  {
    what: 'JSON {"a":1}',
    name: 'json',
    format: 'JSON',
    definition: JSON_SCHEMA,
    data: hex('{"a":1}'),
    compression: 'NONE'
  },
  { what: 'JSON, zlib', name: 'json', format: 'JSON', definition: JSON_SCHEMA, data: hex(LONG), compression: 'ZLIB' },
  { what: 'Avro Bob', name: 'avro', format: 'AVRO', definition: AVRO, data: '06426f62', compression: 'NONE' },
  { what: 'Protobuf Bob', name: 'one', format: 'PROTOBUF', definition: ONE, data: '000a03426f62', compression: 'NONE' }
]
/** Values, from the beginning. */
const SERIALIZE = [
  {
    what: 'JSON {"a":1}',
    name: 'json',
    format: 'JSON',
    definition: JSON_SCHEMA,
    value: '{"a":1}',
    compression: 'NONE'
  },
  { what: 'Avro Bob', name: 'avro', format: 'AVRO', definition: AVRO, value: 'Bob', compression: 'NONE' },
  {
    what: 'Avro Bob, zlib',
    name: 'avro',
    format: 'AVRO',
    definition: AVRO,
    value: 'Bob'.repeat(200),
    compression: 'ZLIB'
  },
  {
    what: 't.Customer',
    name: 'one',
    format: 'PROTOBUF',
    definition: ONE,
    message: 'Customer',
    value: 'Bob',
    compression: 'NONE'
  },
  ...['B', 'B.A', 'B.A.D', 'B.C'].map(message => ({
    what: `t.${message}`,
    name: 'nested',
    format: 'PROTOBUF',
    definition: NESTED,
    message,
    value: 'Bob',
    compression: 'NONE'
  })),
  ...['M127', 'M128', 'M300'].map(message => ({
    what: `t.${message}`,
    name: 'many',
    format: 'PROTOBUF',
    definition: MANY,
    message,
    value: '',
    compression: 'NONE'
  }))
]

execFileSync('mvn', ['-q', '-B', 'compile', 'dependency:build-classpath', `-Dmdep.outputFile=${classpathFile}`], {
  cwd: here,
  stdio: ['ignore', 'ignore', 'inherit']
})
const glue = new FakeGlue()
const server = await startFakeGlue({ glue })
const classpath = [join(here, 'target/classes'), readFileSync(classpathFile, 'utf8').trim()].join(':')
const java = spawn('java', ['-cp', classpath, 'GlueFrames', server.endpoint], {
  stdio: ['pipe', 'pipe', 'ignore'],
  env: { ...process.env, AWS_EC2_METADATA_DISABLED: 'true' }
})
const answers = createInterface({ input: java.stdout })[Symbol.asyncIterator]()
const ask = async asked => {
  java.stdin.write(`${JSON.stringify(asked)}\n`)
  for (;;) {
    const { value, done } = await answers.next()
    if (done) throw new Error('the Java program ended')
    if (value.startsWith('{')) return JSON.parse(value)
  }
}

const decoded = []
for (const [i, vector] of DECODE.entries()) {
  glue.addVersion({
    schemaName: `decode-${i}`,
    dataFormat: vector.format,
    definition: vector.definition,
    versionId: ID
  })
  decoded.push({ ...vector, java: await ask({ do: 'decode', ...vector }) })
}
const encoded = []
for (const vector of ENCODE) encoded.push({ ...vector, java: await ask({ do: 'encode', ...vector }) })
const serialized = []
for (const vector of SERIALIZE) serialized.push({ ...vector, java: await ask({ do: 'serialize', ...vector }) })
java.stdin.end()
await server.close()
const library = 'software.amazon.glue:schema-registry-serde:1.1.24'
process.stdout.write(`${JSON.stringify({ library, decoded, encoded, serialized }, null, 2)}\n`)
