/**
 * The SDK's own JSON protocol with one change: bodies of PutRecords requests that we registered are written by us.
 * Invariant: whatever is not registered (other operations, an input that a middleware replaced) is serialised by the
 * SDK as ever; signing, endpoints, headers and answers stay the SDK's in any case.
 */
import type { PutRecordsCommandInput } from '@aws-sdk/client-kinesis'
import { AwsJson1_1Protocol } from '@aws-sdk/core/protocols'
import { BodyPool } from './body-buffers.ts'
import { writePutRecordsBody } from './request-body.ts'

/** Knows which inputs get a body of ours, and takes the buffers back. */
export class BodyWriter {
  readonly #pool: BodyPool = new BodyPool()
  /** Registered inputs; the buffer is there once the body was written. */
  readonly #buffers = new WeakMap<object, Buffer | undefined>()

  /** From here on `input` is serialised by us. */
  register(input: PutRecordsCommandInput): void {
    this.#buffers.set(input, undefined)
  }

  isRegistered(input: object): input is PutRecordsCommandInput {
    return this.#buffers.has(input)
  }

  /** Returns the body, in a pooled buffer. A second call for one input takes a second buffer; the first is dropped. */
  write(input: PutRecordsCommandInput): Buffer {
    const { buffer, body } = writePutRecordsBody(input, bytes => this.#pool.take(bytes))
    this.#buffers.set(input, buffer)
    return body
  }

  /** Only after the answer to `input` was read to its end: nobody reads the body any more. */
  release(input: PutRecordsCommandInput): void {
    const buffer = this.#buffers.get(input)
    this.#buffers.delete(input)
    if (buffer !== undefined) this.#pool.release(buffer)
  }

  clear(): void {
    this.#pool.clear()
  }
}

/** Returns the class for the client's `protocol` option; a subclass, because that is what the option takes. */
export function putRecordsProtocol(writer: BodyWriter): typeof AwsJson1_1Protocol {
  return class PutRecordsProtocol extends AwsJson1_1Protocol {
    override async serializeRequest<Input extends object>(
      ...[schema, input, context]: Parameters<AwsJson1_1Protocol['serializeRequest']> & { 1: Input }
    ): ReturnType<AwsJson1_1Protocol['serializeRequest']> {
      if (!writer.isRegistered(input)) return super.serializeRequest(schema, input, context)
      // Everything but the body: the SDK serialises the same request without its records.
      const request = await super.serializeRequest(schema, { ...input, Records: [] }, context)
      request.body = writer.write(input)
      return request
    }
  }
}
