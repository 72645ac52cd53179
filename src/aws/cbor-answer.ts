/**
 * Reads what PutRecords answers in CBOR (`application/x-amz-cbor-1.1`): the result of a request, or an error.
 * Invariant: only known fields of the right kind get through, others are passed over; anything malformed is a
 * SyntaxError, which counts like an answer that is not JSON.
 */
import { MAX_REQUEST_RECORDS } from '../model/limits.ts'
import { CborReader } from './cbor-reader.ts'

/** Also what a request says that it is. */
export const CBOR_CONTENT_TYPE = 'application/x-amz-cbor-1.1'

/** The same shape as the SDK's JSON protocol gives, without the metadata. */
export interface CborPutRecordsOutput {
  readonly Records: readonly CborResultEntry[] | undefined
  readonly FailedRecordCount: number | undefined
  readonly EncryptionType: string | undefined
}

export interface CborResultEntry {
  readonly SequenceNumber?: string
  readonly ShardId?: string
  readonly ErrorCode?: string
  readonly ErrorMessage?: string
}

export interface CborError {
  readonly __type?: string
  readonly message?: string
}

const ENTRY_FIELDS = ['SequenceNumber', 'ShardId', 'ErrorCode', 'ErrorMessage'] as const
const ENTRY_NAMES: readonly Uint8Array[] = ENTRY_FIELDS.map(name => Buffer.from(name))
type EntryField = (typeof ENTRY_FIELDS)[number]

/** Returns the output of PutRecords. `bytes` are not kept. O(bytes). */
export function decodePutRecordsAnswer(bytes: Uint8Array): CborPutRecordsOutput {
  const reader = new CborReader(bytes)
  let Records: CborResultEntry[] | undefined
  let FailedRecordCount: number | undefined
  let EncryptionType: string | undefined
  reader.readMap(name => {
    if (name === 'Records') Records = readEntries(reader)
    else if (name === 'FailedRecordCount') FailedRecordCount = reader.readCount()
    else if (name === 'EncryptionType') EncryptionType = reader.readText()
    else reader.skip()
  })
  reader.end()
  return { Records, FailedRecordCount, EncryptionType }
}

/** Returns code and message of an error; both absent when the body says neither, or is no CBOR: the status stays. */
export function decodeErrorAnswer(bytes: Uint8Array): CborError {
  const error: { __type?: string; message?: string } = {}
  const reader = new CborReader(bytes)
  try {
    reader.readMap(name => {
      if (name === '__type') setText(error, '__type', reader.readText())
      else if (name === 'message' || name === 'Message') setText(error, 'message', reader.readText())
      else reader.skip()
    })
    reader.end()
    return error
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return {}
    throw thrown
  }
}

function readEntries(reader: CborReader): CborResultEntry[] {
  const entries: CborResultEntry[] = []
  reader.readArray(MAX_REQUEST_RECORDS, () => {
    const entry: { -readonly [Field in EntryField]?: string } = {}
    reader.readMapOf(ENTRY_NAMES, index => {
      const field = ENTRY_FIELDS[index]
      if (field === undefined) reader.skip()
      else setText(entry, field, reader.readText())
    })
    entries.push(entry)
  })
  return entries
}

function setText<Name extends string>(target: { [Key in Name]?: string }, name: Name, text: string | undefined): void {
  if (text !== undefined) target[name] = text
}
