/**
 * Compressed payloads: zlib bytes enter, at most so many bytes leave.
 * Invariant: what would inflate to more, is broken or goes on behind its end is an error, and no more than the bound is held.
 */
import { inflateSync } from 'node:zlib'
import { SchemaError } from '../model/errors.ts'

/** Returns the inflated payload. Throws SchemaError (KPL_ERR_SCHEMA_DATA). */
export function inflated(payload: Uint8Array, maxInflatedBytes: number): Uint8Array {
  let result: { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }
  try {
    // With `info` it returns the engine too, which the types of Node.js do not say.
    result = inflateSync(payload, { maxOutputLength: maxInflatedBytes, info: true }) as unknown as typeof result
  } catch (error) {
    throw faultOf(error, payload, maxInflatedBytes)
  }
  const { buffer, engine } = result
  const restBytes = payload.length - engine.bytesWritten
  if (restBytes > 0) throw dataError(`the compressed payload goes on ${restBytes} bytes behind its end`)
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

function faultOf(error: unknown, payload: Uint8Array, maxInflatedBytes: number): SchemaError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  if (code === 'ERR_BUFFER_TOO_LARGE') {
    return dataError(`the payload must inflate to at most ${maxInflatedBytes} bytes (maxInflatedBytes), got more`)
  }
  return dataError(`the payload is marked as zlib and its ${payload.length} bytes are none (${code})`)
}

function dataError(message: string): SchemaError {
  return new SchemaError('KPL_ERR_SCHEMA_DATA', message)
}
