/**
 * The AWS JSON 1.1 codec: bodies of requests into fields, outputs and errors into bodies.
 * Invariant: blobs are base64 text on the wire and bytes inside; nothing else differs from plain JSON.
 */
import { InputFields } from './input-fields.ts'
import { liftBlobs } from './json-blobs.ts'
import { FakeServiceError } from './service-error.ts'

export const JSON_CONTENT_TYPE = 'application/x-amz-json-1.1'

/** Smaller bodies are parsed as they are. */
const LIFT_FROM_BYTES = 16_384

/** Throws SerializationException for a body that is not a JSON object. An empty body is an empty object. */
export function decodeJson(body: Buffer): InputFields {
  if (body.length === 0) return new InputFields({}, readBase64)
  const lifted = body.length < LIFT_FROM_BYTES ? undefined : liftBlobs(body)
  if (lifted === undefined) return new InputFields(parse(body.toString('utf8')), readBase64)
  const readBlob = (value: unknown) =>
    (typeof value === 'string' ? lifted.blobOf(value) : undefined) ?? readBase64(value)
  return new InputFields(parse(lifted.text), readBlob)
}

/** Returns the answer's body. Only GetRecords has blobs in its output: `Records[].Data`. */
export function encodeJson(output: object): string {
  const records: unknown = 'Records' in output ? output.Records : undefined
  if (!Array.isArray(records)) return JSON.stringify(output)
  return JSON.stringify({ ...output, Records: records.map(withBase64) })
}

export function encodeJsonError(error: FakeServiceError): string {
  return JSON.stringify({ __type: error.code, message: error.message })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw error instanceof SyntaxError ? new FakeServiceError('SerializationException', 'The body is not JSON.') : error
  }
}

/** Buffer skips characters that are not base64, so in text of whole groups of four a wrong length gives it away. */
function readBase64(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string' || value.length % 4 !== 0) return undefined
  const bytes = Buffer.from(value, 'base64')
  const paddingLength = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0
  const isWhole = bytes.length === Math.floor(((value.length - paddingLength) * 3) / 4)
  return isWhole ? bytes : undefined
}

function withBase64(record: unknown): unknown {
  if (typeof record !== 'object' || record === null || !('Data' in record)) return record
  const { Data } = record
  if (!(Data instanceof Uint8Array)) return record
  return { ...record, Data: Buffer.from(Data.buffer, Data.byteOffset, Data.byteLength).toString('base64') }
}
