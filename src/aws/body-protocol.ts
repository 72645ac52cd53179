/**
 * The SDK's own JSON protocol with one change: PutRecords is written, and its answer read, by us, in JSON or in CBOR.
 * Invariant: a PutRecords request carries exactly the records it was announced with, or is not made; the records are written
 * once, by us, and the SDK's serializer is handed none of them; signing, endpoints, errors and all other operations stay the
 * SDK's.
 */
import type { PutRecordsCommandInput, PutRecordsCommandOutput } from '@aws-sdk/client-kinesis'
import { AwsJson1_1Protocol } from '@aws-sdk/core/protocols'
import { BlockPool, type BlockPoolOptions } from '../wire/block-pool.ts'
import { bodyDigest, DIGEST_HEADER } from './body-digest.ts'
import { CBOR_CONTENT_TYPE, decodeErrorAnswer, decodePutRecordsAnswer } from './cbor-answer.ts'
import { writeCborBody } from './cbor-body.ts'
import type { SdkResponse } from './http-door.ts'
import { type TakeBuffer, type WrittenBody, writePutRecordsBody } from './request-body.ts'

/** A busy transport takes a released block at once, so few are enough for many requests in flight. */
const MAX_POOLED_BODIES = 4
export const BODY_POOL: BlockPoolOptions = { grainBytes: 262_144, maxFreeCount: MAX_POOLED_BODIES, minFill: 0 }

/** How PutRecords requests and their answers are written. */
export type WireFormat = 'json' | 'cbor'

interface BodyFormat {
  readonly contentType: string
  readonly write: (input: PutRecordsCommandInput, take: TakeBuffer) => WrittenBody
}

const FORMATS: Readonly<Record<WireFormat, BodyFormat>> = {
  json: { contentType: 'application/x-amz-json-1.1', write: writePutRecordsBody },
  cbor: { contentType: CBOR_CONTENT_TYPE, write: writeCborBody }
}

type Records = NonNullable<PutRecordsCommandInput['Records']>

type ReadAnswer = (response: SdkResponse) => Promise<object>

interface Announced {
  /** Set once the body was written. */
  buffer: Buffer | undefined
}

/** Knows the records behind an input, writes them, and takes the buffers back. */
export class BodyWriter {
  readonly #format: BodyFormat
  readonly #pool: BlockPool = new BlockPool(BODY_POOL)
  /** By the list itself, which also an input that a middleware copied still has. */
  readonly #announced = new WeakMap<Records, Announced>()
  #readAnswer: ReadAnswer | undefined

  constructor(wireFormat: WireFormat) {
    this.#format = FORMATS[wireFormat]
  }

  get contentType(): string {
    return this.#format.contentType
  }

  /** Makes `records` the `Records` of an input that may be written. */
  announce(records: Records): void {
    this.#announced.set(records, { buffer: undefined })
  }

  /** Returns the body, in a pooled buffer. A second call for one input takes a second buffer; the first is dropped. */
  write(input: PutRecordsCommandInput): Buffer {
    const announced = this.#announced.get(input.Records ?? [])
    if (announced === undefined) throw new TypeError('The records of a PutRecords request were replaced on the way.')
    const { buffer, body } = this.#format.write(input, bytes => this.#pool.take(bytes))
    announced.buffer = buffer
    return body
  }

  /** Only when no code reads the body any more. */
  release(records: Records): void {
    const buffer = this.#announced.get(records)?.buffer
    this.#announced.delete(records)
    if (buffer !== undefined) this.#pool.release(buffer)
  }

  /** Remembers how the protocol reads answers; `make` is called once. */
  noteReader(make: () => ReadAnswer): void {
    this.#readAnswer ??= make()
  }

  /** Reads an answer as the protocol does, once it has read one. */
  readAnswer(response: SdkResponse): Promise<object> {
    if (this.#readAnswer === undefined) throw new TypeError('The protocol has not read an answer yet.')
    return this.#readAnswer(response)
  }

  clear(): void {
    this.#pool.clear()
  }
}

type Serialize = AwsJson1_1Protocol['serializeRequest']
type Deserialize = AwsJson1_1Protocol['deserializeResponse']
type MetadataBearer = Pick<PutRecordsCommandOutput, '$metadata'>

const OPERATION = 'PutRecords'
/** Where the SDK keeps the command of a call. */
const SMITHY_CONTEXT = '__smithy_context'

/** Returns the class for the client's `protocol` option; a subclass, because that is what the option takes. */
export function putRecordsProtocol(writer: BodyWriter): typeof AwsJson1_1Protocol {
  return class PutRecordsProtocol extends AwsJson1_1Protocol {
    override async serializeRequest<Input extends object>(
      ...[schema, input, context]: Parameters<Serialize> & { 1: Input }
    ): ReturnType<Serialize> {
      if (schema.name !== OPERATION) return super.serializeRequest(schema, input, context)
      // Everything but the body: the SDK writes none of the records.
      const request = await super.serializeRequest(schema, { ...input, Records: [] }, context)
      request.headers['content-type'] = writer.contentType
      // The schema of the operation says what its input is.
      const body = writer.write(input as PutRecordsCommandInput)
      request.body = body
      request.headers[DIGEST_HEADER] = await bodyDigest(body)
      return request
    }

    override async deserializeResponse<Output extends MetadataBearer>(
      ...[schema, context, response]: Parameters<Deserialize>
    ): Promise<Output> {
      if (schema.name === OPERATION) writer.noteReader(() => this.#reader(schema, context))
      const isError = response.statusCode >= 300
      const isInCbor = isCbor(response.headers)
      // Errors in JSON are the SDK's to read: it knows the names.
      if (schema.name !== OPERATION || (isError && !isInCbor)) {
        return super.deserializeResponse(schema, context, response)
      }
      const bytes = await context.streamCollector(response.body)
      const $metadata = this.deserializeMetadata(response)
      if (isError) await this.handleError(schema, context, response, decodeErrorAnswer(bytes), $metadata)
      const output = isInCbor ? decodePutRecordsAnswer(bytes) : parseAnswer(bytes)
      // The decoder of PutRecords' output: answers.ts checks every field of it.
      return { ...output, $metadata } as unknown as Output
    }

    /** Reads answers to other requests in the same way; of this one, whose records are in its context, nothing is kept. */
    #reader(schema: Parameters<Deserialize>[0], context: Parameters<Deserialize>[1]): ReadAnswer {
      const ofAll = { ...context }
      Reflect.deleteProperty(ofAll, SMITHY_CONTEXT)
      // The SDK reads status, headers and body of it, which the door gives to the SDK as well.
      return response => this.deserializeResponse(schema, ofAll, response as Parameters<Deserialize>[2])
    }
  }
}

/** Throws SyntaxError for a text that is not a JSON object. */
function parseAnswer(bytes: Uint8Array): object {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null) throw new SyntaxError('The answer is not an object.')
  return value
}

function isCbor(headers: Readonly<Record<string, string>>): boolean {
  const name = Object.keys(headers).find(key => key.toLowerCase() === 'content-type')
  return name !== undefined && headers[name]!.toLowerCase().startsWith(CBOR_CONTENT_TYPE)
}
