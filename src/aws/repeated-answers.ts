/**
 * Finds an answer that a connection brings a second time, in place of the answer to the next request.
 * Sequence that this is for: answer 1 comes, and once more -> request 2 goes out on the same connection -> HTTP takes the
 * second copy for the answer to request 2.
 * Invariant: an answer counts as repeated only when its request id and its whole body are those of the answer before it on
 * its connection. Once one id has come with two bodies, or on two connections, ids prove nothing: local servers send one id
 * with every answer.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { MAX_ANSWER_BYTES } from './answer-collector.ts'

interface Answer {
  readonly id: string
  readonly body: Uint8Array
}

const ID_HEADER = 'x-amzn-requestid'
/** Answers whose ids are looked for in later ones, of whatever connection. */
const MAX_REMEMBERED = 16

export class RepeatedAnswers {
  /** The last answer of each connection. */
  readonly #lastOf = new WeakMap<Socket, Answer>()
  /** Of answers under way: once they were read they have none any more. */
  readonly #socketOf = new WeakMap<IncomingMessage, Socket>()
  readonly #recent = new Map<string, { readonly body: Uint8Array; readonly socket: Socket }>()
  #areIdsUnique = true

  /** Takes an answer that was read to its end. */
  note(head: IncomingMessage, body: Uint8Array): void {
    const id = idOf(head)
    const socket = this.#socketOf.get(head)
    if (id === undefined || socket === undefined || !this.#areIdsUnique) return
    this.#lastOf.set(socket, { id, body })
    const earlier = this.#recent.get(id)
    // A copy comes on the connection of its original; two connections have one id only where ids say nothing.
    const isOther = earlier !== undefined && (earlier.socket !== socket || !isSame(earlier.body, body))
    if (isOther) this.#areIdsUnique = false
    this.#recent.set(id, { body, socket })
    const [oldest] = this.#recent.keys()
    if (this.#recent.size > MAX_REMEMBERED && oldest !== undefined) this.#recent.delete(oldest)
  }

  /** Takes the head of an answer. Returns true when it has to be examined before anybody may have it: its id came just before. */
  arrived(head: IncomingMessage): boolean {
    const id = idOf(head)
    if (id === undefined || !this.#areIdsUnique) return false
    this.#socketOf.set(head, head.socket)
    return this.#lastOf.get(head.socket)?.id === id
  }

  /**
   * Reads a suspect and calls one of the two: in the same turn as its end, while its connection is not yet given to the next
   * request. An answer that breaks off calls neither; its request fails by itself.
   */
  examine(head: IncomingMessage, repeated: () => void, taken: (body: Uint8Array) => void): void {
    const last = this.#lastOf.get(head.socket)
    const chunks: Buffer[] = []
    let bytes = 0
    head.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      // No answer of the service is so long, and this one would be kept.
      if (bytes > MAX_ANSWER_BYTES) repeated()
    })
    head.once('end', () => {
      const body = Buffer.concat(chunks)
      if (last !== undefined && isSame(last.body, body)) {
        repeated()
        return
      }
      this.note(head, body)
      taken(body)
    })
  }
}

function idOf({ headers }: IncomingMessage): string | undefined {
  const id = headers[ID_HEADER]
  return typeof id === 'string' && id !== '' ? id : undefined
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
