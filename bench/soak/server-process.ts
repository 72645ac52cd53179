/**
 * The server process as the soak sees it: requests by promise, status as it comes.
 * Invariant: one request is under way at a time; a server that ends by itself makes every call fail.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Copies, Message, ReadBack, Request, ServerStatus } from './messages.ts'

export class ServerProcess {
  status: ServerStatus | undefined
  /** Told of what a read finds, before the read is over. */
  onCopies: (copies: Copies) => void = () => {}
  readonly #child: ChildProcess
  readonly #fail: Promise<never>
  #endpoint = ''
  #lastRead: ReadBack | undefined
  #awaited: { readonly kind: Message['kind']; resolve(): void } | undefined
  #queue: Promise<unknown> = Promise.resolve()

  constructor(seed: number) {
    const file = new URL('./server.js', import.meta.url)
    this.#child = fork(file, [String(seed)], { serialization: 'advanced' })
    this.#child.on('message', message => this.#take(message as Message))
    this.#fail = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`the server process ended with ${code}`)
    })
    // The next caller gets the failure.
    this.#fail.catch(() => {})
  }

  /** Resolves to the endpoint once it listens. */
  async start(): Promise<string> {
    await this.#await('ready')
    return this.#endpoint
  }

  create(stream: string): Promise<void> {
    return this.#call({ kind: 'create', stream })
  }

  delete(stream: string): Promise<void> {
    return this.#call({ kind: 'delete', stream })
  }

  calm(): Promise<void> {
    return this.#call({ kind: 'calm' })
  }

  async read(stream: string, generation: number): Promise<ReadBack> {
    await this.#call({ kind: 'read', stream, generation })
    const read = this.#lastRead
    if (read?.generation !== generation) throw new Error(`generation ${generation} was not read back`)
    return read
  }

  async stop(): Promise<void> {
    this.#child.send({ kind: 'stop' } satisfies Request)
    await this.#fail.catch(() => {})
  }

  #call(request: Request): Promise<void> {
    const called = this.#queue.then(() => {
      this.#child.send(request)
      return this.#await('done')
    })
    this.#queue = called.catch(() => {})
    return called
  }

  #await(kind: Message['kind']): Promise<void> {
    const awaited = new Promise<void>(resolve => {
      this.#awaited = { kind, resolve }
    })
    return Promise.race([awaited, this.#fail])
  }

  #take(message: Message): void {
    switch (message.kind) {
      case 'copies':
        this.onCopies(message)
        break
      case 'read-back':
        this.#lastRead = message
        break
      case 'status':
        this.status = message
        break
      case 'ready':
        this.#endpoint = message.endpoint
        break
    }
    if (this.#awaited?.kind === message.kind) this.#awaited.resolve()
  }
}
