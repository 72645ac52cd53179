/**
 * Sends PutRecords without the SDK's middleware, which is four fifths of the CPU time of a small request: the first request to
 * a stream goes through the SDK, and the later ones are filled into its form.
 * Enters: announced records and their stream. Leaves: the service's answer. It never knows what a request says.
 * Invariant: a form lasts until a call with it fails or the credentials change; then the SDK makes the next request. A client
 * whose `send` somebody replaced is always asked.
 */
import type { PutRecordsCommandInput } from '@aws-sdk/client-kinesis'
import type { TimeOfDay } from '../model/ports.ts'
import { bodyDigest } from './body-digest.ts'
import type { BodyWriter } from './body-protocol.ts'
import { givenUp } from './classify-failure.ts'
import type { HttpDoor, SdkRequest, SdkResponse } from './http-door.ts'
import { type EndingOptions, failureOf, newProgress, type Progress, settledOnce } from './one-ending.ts'
import { type Identity, PreparedRequest } from './prepared-request.ts'

/** The most streams with a kept form. */
const MAX_FORMS = 1_000
const MAX_CLOCK_AGE_MS = 900_000

/** The SDK's own state for signatures. */
export interface SigningConfig {
  readonly credentials: () => Promise<Identity>
  /** From the machine's time of day to the service's. */
  systemClockOffset: number
  readonly disableClockSkewCorrection: () => Promise<boolean>
}

export interface PreparedPorts {
  readonly door: HttpDoor
  readonly bodyWriter: BodyWriter
  readonly config: SigningConfig
  readonly timeOfDay: TimeOfDay
  readonly newInvocationId: () => string
  /** Whether the SDK's client is as it was made. */
  readonly isUntouched: () => boolean
}

export interface PreparedOptions<Answer> extends EndingOptions {
  readonly read: (output: unknown) => Answer
  readonly partitionKeys: () => readonly string[]
  readonly onBodyFree: () => void
}

/** The call was not made: the SDK has to. */
export const NOT_PREPARED = Symbol('not prepared')

export class PreparedCalls {
  readonly #ports: PreparedPorts
  readonly #forms = new Map<string, PreparedRequest>()

  constructor(ports: PreparedPorts) {
    this.#ports = ports
  }

  /** Returns the form for a stream, which is named or has an ARN. */
  find(stream: string): PreparedRequest | undefined {
    return this.#ports.isUntouched() ? this.#forms.get(stream) : undefined
  }

  /** Takes what the SDK sent to a stream, once it was answered. Never rejects. */
  async learn(stream: string, sent: object | undefined): Promise<void> {
    if (this.#forms.has(stream) || sent === undefined || !isSdkRequest(sent)) return
    const { config } = this.#ports
    try {
      // With the correction off the SDK signs with another clock than this file.
      const isCorrected = !(await config.disableClockSkewCorrection())
      const form = isCorrected ? PreparedRequest.of(sent, await config.credentials()) : undefined
      if (this.#forms.size >= MAX_FORMS) this.#forms.clear()
      if (form !== undefined) this.#forms.set(stream, form)
    } catch {
      // Not swallowed: without credentials there is no form, and the next request says why.
    }
  }

  /** Sends `input` once; resolves to its answer, or to `NOT_PREPARED` when the form is not of the present credentials. */
  send<Answer>(
    stream: string,
    form: PreparedRequest,
    input: PutRecordsCommandInput,
    options: PreparedOptions<Answer>
  ): Promise<Answer | typeof NOT_PREPARED> {
    const progress = newProgress()
    progress.isHanded = false
    progress.isRead = true
    const cut = (): void => progress.passage?.cut?.()
    return settledOnce<Answer | typeof NOT_PREPARED>(options, progress, cut, ({ succeed, fail }) => {
      this.#attempt(form, input, options, progress).then(succeed, (thrown: unknown) => {
        this.#forms.delete(stream)
        fail(failureOf(thrown, progress, options.partitionKeys))
      })
    }).then(answer => {
      if (answer === NOT_PREPARED) this.#forms.delete(stream)
      return answer
    })
  }

  async #attempt<Answer>(
    form: PreparedRequest,
    input: PutRecordsCommandInput,
    { read, onBodyFree }: PreparedOptions<Answer>,
    progress: Progress
  ): Promise<Answer | typeof NOT_PREPARED> {
    const { door, bodyWriter, config, timeOfDay, newInvocationId } = this.#ports
    if (!form.isOf(await config.credentials())) return NOT_PREPARED
    const body = bodyWriter.write(input)
    const digest = await bodyDigest(body)
    const sentMs = timeOfDay.nowMs()
    const longDate = timeOfDay.longDate(sentMs + config.systemClockOffset)
    const request = form.fill({ body, digest, longDate, invocationId: newInvocationId() })
    // The caller has the result of the call; keep it so.
    if (progress.isOver) throw givenUp('AbortError', false)
    progress.isHanded = true
    progress.passage = { isOpen: false, onFree: onBodyFree }
    const { response } = await door.pass(request, progress.passage)
    progress.statusCode = response.statusCode
    this.#noteTime(response, sentMs)
    return read(await bodyWriter.readAnswer(response))
  }

  /** As the SDK does: a machine whose clock is wrong goes by the service's. */
  #noteTime({ headers: { date, age } }: SdkResponse, sentMs: number): void {
    const { timeOfDay, config } = this.#ports
    const serviceMs = date === undefined || age !== undefined ? Number.NaN : timeOfDay.parse(date)
    const nowMs = timeOfDay.nowMs()
    if (!Number.isNaN(serviceMs) && nowMs - sentMs <= MAX_CLOCK_AGE_MS) config.systemClockOffset = serviceMs - nowMs
  }
}

/** The door takes whatever the SDK hands over; a form is made of this shape only. */
function isSdkRequest(request: object): request is SdkRequest {
  if (!('headers' in request && 'method' in request && 'path' in request)) return false
  const { headers } = request
  return (
    typeof headers === 'object' && headers !== null && Object.values(headers).every(text => typeof text === 'string')
  )
}
