/**
 * The streams of one account by name, and which state each operation asks of them.
 * Invariant: a stream whose deletion is over is never found; a found stream has run all reshard steps that are due.
 */
import type { StreamAddress } from './api-shapes.ts'
import type { FakeStream } from './fake-stream.ts'
import { argumentError, constraintError, FakeServiceError } from './service-error.ts'

const ARN_NAME = /^arn:[a-z0-9-]+:kinesis:[a-z0-9-]*:[0-9]*:stream\/([a-zA-Z0-9_.-]+)$/

/** Returns the address for a stream given as a name or as an ARN. */
export function streamAddress(streamNameOrArn: string): StreamAddress {
  return streamNameOrArn.startsWith('arn:') ? { StreamARN: streamNameOrArn } : { StreamName: streamNameOrArn }
}

/** Returns the name in a stream's ARN; its region and account are not looked at. ValidationException when malformed. */
export function streamNameOfArn(arn: string): string {
  const name = ARN_NAME.exec(arn)?.[1]
  if (name === undefined) throw constraintError('streamARN', 'satisfy regular expression pattern of a stream ARN')
  return name
}

export class StreamRegistry {
  readonly #accountId: string
  readonly #streams: Map<string, FakeStream> = new Map()

  constructor(accountId: string) {
    this.#accountId = accountId
  }

  /** ResourceInUseException when the name is taken, also by a stream that is still DELETING. */
  add(stream: FakeStream, nowMs: number): void {
    const { streamName } = stream
    if (this.#lookUp(streamName, nowMs) !== undefined) {
      throw inUse(`Stream ${streamName} under account ${this.#accountId} already exists.`)
    }
    this.#streams.set(streamName, stream)
  }

  /** Every stream that is there, by name. */
  all(nowMs: number): FakeStream[] {
    const found = [...this.#streams.keys()].sort().map(name => this.#lookUp(name, nowMs))
    return found.filter(stream => stream !== undefined)
  }

  /** In whatever state. ResourceNotFoundException when there is none. */
  find(address: StreamAddress, nowMs: number): FakeStream {
    const name = nameOf(address)
    const stream = this.#lookUp(name, nowMs)
    if (stream === undefined) throw this.#notFound(name)
    return stream
  }

  /** A stream that takes and gives records: a CREATING one is not found yet. */
  findReadable(address: StreamAddress, nowMs: number): FakeStream {
    const stream = this.find(address, nowMs)
    if (stream.status(nowMs) === 'CREATING') throw this.#notFound(stream.streamName)
    return stream
  }

  /** A stream whose settings may be changed: ResourceInUseException unless it is ACTIVE. */
  findActive(address: StreamAddress, nowMs: number): FakeStream {
    const stream = this.find(address, nowMs)
    const status = stream.status(nowMs)
    if (status === 'ACTIVE') return stream
    throw inUse(`Stream ${stream.streamName} under account ${this.#accountId} not ACTIVE, instead in state ${status}`)
  }

  /** A stream whose shards may be changed: ACTIVE and PROVISIONED. */
  findProvisioned(address: StreamAddress, nowMs: number): FakeStream {
    const stream = this.findActive(address, nowMs)
    if (stream.mode === 'PROVISIONED') return stream
    throw new FakeServiceError(
      'ValidationException',
      `Stream ${stream.streamName} under account ${this.#accountId} is in ON_DEMAND mode; only the service reshards it.`
    )
  }

  #lookUp(streamName: string, nowMs: number): FakeStream | undefined {
    const stream = this.#streams.get(streamName)
    if (stream === undefined) return undefined
    if (stream.goneAtMs <= nowMs) {
      this.#streams.delete(streamName)
      return undefined
    }
    stream.advance(nowMs)
    return stream
  }

  #notFound(streamName: string): FakeServiceError {
    return new FakeServiceError(
      'ResourceNotFoundException',
      `Stream ${streamName} under account ${this.#accountId} not found.`
    )
  }
}

function nameOf(address: StreamAddress): string {
  const nameInArn = address.StreamARN === undefined ? undefined : streamNameOfArn(address.StreamARN)
  const name = address.StreamName ?? nameInArn
  if (name === undefined) throw argumentError('Either StreamName or StreamARN must be provided.')
  if (nameInArn !== undefined && nameInArn !== name) {
    throw argumentError('StreamName and StreamARN do not name the same stream.')
  }
  return name
}

function inUse(message: string): FakeServiceError {
  return new FakeServiceError('ResourceInUseException', message)
}
