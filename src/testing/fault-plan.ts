/**
 * A script of what goes wrong: rules that match requests and say what happens to them.
 * Invariant: a plan decides from the request, its own counters and its `random` only, so the same requests in the same
 * order meet the same faults.
 */

import type { OptionRule, OptionRules } from '../consumer/deaggregate/given-options.ts'
import { assertNever } from '../model/errors.ts'
import type { Random } from '../model/ports.ts'
import type { FaultAction, FaultMatch, FaultRequest, FaultRule, RecordSelection } from './fault-rule.ts'
import { ANY, assertArgument, assertGiven, COUNT, FUNCTION, numberFrom, TEXT } from './given.ts'
import type { RecordError } from './record-error.ts'
import { FakeServiceError } from './service-error.ts'

/** How a request ends when not with the service's own answer. */
export type FaultEnding =
  | {
      readonly kind: 'error'
      /** The error that is answered. */
      readonly error: FakeServiceError
    }
  | { readonly kind: 'reset' }
  | { readonly kind: 'silence' }
  | {
      readonly kind: 'raw'
      /** The HTTP status. */
      readonly statusCode: number
      /** The header Content-Type. */
      readonly contentType: string
      /** The text of the body. */
      readonly body: string
    }

/** The decision of the matching rules about one request. */
export interface FaultDecision {
  /** The delay before the request is applied. */
  readonly requestDelayMs: number
  /** The delay of the answer. */
  readonly answerDelayMs: number
  /** Whether the request changes the streams. */
  readonly isApplied: boolean
  /** The end of the request in place of an answer; undefined: it is answered. */
  readonly ending: FaultEnding | undefined
  /** Returns the error of one record of the request; undefined when the rules leave records alone. */
  readonly recordError: ((index: number, shardId: string) => RecordError | undefined) | undefined
  /** Returns the order in which records are stored; undefined: the order of the request. */
  readonly storeOrder: ((entryCount: number) => readonly number[]) | undefined
  /** The age of the listing that ListShards answers with. */
  readonly shardsAgoMs: number
  /** Records that the answer has too many, or too few when negative. */
  readonly recordCountDifference: number
}

const LIST: OptionRule = { must: 'a list of rules', isMet: Array.isArray }
const ACTIONS = {
  failRecords: true,
  throttle: true,
  failRequest: true,
  reset: true,
  silence: true,
  rawAnswer: true,
  delay: true,
  shuffle: true,
  staleShards: true,
  recordCount: true
} satisfies Record<FaultAction['kind'], true>
const RULE: OptionRule = {
  must: `{ match, action: { kind, ... }, times } with a kind of ${Object.keys(ACTIONS).join(', ')}`,
  isMet: rule => Object.hasOwn(ACTIONS, Object(Object(rule)['action'])['kind'] ?? '')
}
const FIELDS: OptionRules<FaultRule> = { match: ANY, action: ANY, times: COUNT }
/** A misspelt condition would be no condition: the rule would match every request. */
const CONDITIONS: OptionRules<FaultMatch> = {
  operation: TEXT,
  streamName: TEXT,
  firstOrdinal: COUNT,
  lastOrdinal: COUNT,
  fromMs: ANY,
  untilMs: ANY,
  probability: numberFrom(0, 1),
  when: FUNCTION
}

interface ActiveRule {
  readonly rule: FaultRule
  remainingCount: number
}

/**
 * An editable list of rules for a server or an in-memory transport.
 *
 * @example
 * const faults = new FaultPlan()
 * faults.add({ match: { operation: 'PutRecords' }, action: { kind: 'reset', isApplied: true }, times: 1 })
 * const transport = new InMemoryTransport({ kinesis, clock: new VirtualClock(), faults })
 */
export class FaultPlan {
  readonly #random: Random | undefined
  readonly #ordinals: Map<string, number> = new Map()
  #rules: ActiveRule[] = []

  /** `random` is needed only for rules with a `probability` and for `shuffle`. Throws OptionsError for a value that is not a rule. */
  constructor(rules: readonly FaultRule[] = [], random?: Random) {
    assertArgument('FaultPlan', 'rules', LIST, rules)
    this.#random = random
    for (const rule of rules) this.add(rule)
  }

  /**
   * Appends a rule, in force from the next request; returns a function that takes it out again.
   *
   * @example
   * const faults = new FaultPlan()
   * const remove = faults.add({ action: { kind: 'failRequest', errorCode: 'InternalFailure' } })
   * remove()
   */
  add(rule: FaultRule): () => void {
    assertArgument('FaultPlan', 'a rule', RULE, rule)
    assertGiven('FaultPlan, a rule', rule, FIELDS)
    assertGiven('FaultPlan, the match of a rule', rule.match ?? {}, CONDITIONS)
    if (needsRandom(rule) && this.#random === undefined) {
      throw new TypeError("a rule with a probability, or 'shuffle', needs the random argument of FaultPlan")
    }
    const active = { rule, remainingCount: rule.times ?? Number.POSITIVE_INFINITY }
    this.#rules.push(active)
    return () => {
      this.#rules = this.#rules.filter(other => other !== active)
    }
  }

  /**
   * Takes out every rule; ordinals go on.
   *
   * @example
   * const faults = new FaultPlan([{ action: { kind: 'reset' } }])
   * faults.clear()
   */
  clear(): void {
    this.#rules = []
  }

  /**
   * Counts the request, uses up the rules that match it, and returns what is to happen. O(rules).
   *
   * @example
   * const faults = new FaultPlan([{ action: { kind: 'reset' } }])
   * const { ending } = faults.decide({ operation: 'PutRecords', streamName: 'orders', nowMs: 0, entryCount: 1 })
   * ending // => { kind: 'reset' }
   */
  decide(request: Omit<FaultRequest, 'ordinal'>): FaultDecision {
    const counted = { ...request, ordinal: this.#nextOrdinal(request) }
    const actions: FaultAction[] = []
    for (const active of this.#rules) {
      if (active.remainingCount <= 0 || !this.#isMatch(active.rule.match ?? {}, counted)) continue
      active.remainingCount--
      actions.push(active.rule.action)
    }
    return actions.length === 0 ? NO_FAULT : this.#combine(actions)
  }

  #nextOrdinal(request: Omit<FaultRequest, 'ordinal'>): number {
    const key = `${request.operation} ${request.streamName ?? ''}`
    const ordinal = (this.#ordinals.get(key) ?? 0) + 1
    this.#ordinals.set(key, ordinal)
    return ordinal
  }

  #isMatch(match: FaultMatch, request: FaultRequest): boolean {
    if (match.operation !== undefined && match.operation !== request.operation) return false
    if (match.streamName !== undefined && match.streamName !== request.streamName) return false
    if (request.ordinal < (match.firstOrdinal ?? 1)) return false
    if (request.ordinal > (match.lastOrdinal ?? Number.POSITIVE_INFINITY)) return false
    if (request.nowMs < (match.fromMs ?? Number.NEGATIVE_INFINITY)) return false
    if (request.nowMs >= (match.untilMs ?? Number.POSITIVE_INFINITY)) return false
    if (match.when !== undefined && !match.when(request)) return false
    return match.probability === undefined || this.#draw() < match.probability
  }

  #combine(actions: readonly FaultAction[]): FaultDecision {
    const last = actions.find(isEnding)
    const recordErrors = actions.map(action => this.#recordError(action)).filter(error => error !== undefined)
    const total = (amount: (action: FaultAction) => number): number =>
      actions.reduce((sum, action) => sum + amount(action), 0)
    return {
      requestDelayMs: total(action => (action.kind === 'delay' && action.of === 'request' ? action.delayMs : 0)),
      answerDelayMs: total(action => (action.kind === 'delay' && action.of !== 'request' ? action.delayMs : 0)),
      isApplied: last === undefined || (last.isApplied ?? last.kind === 'rawAnswer'),
      ending: last === undefined ? undefined : endingOf(last),
      recordError: recordErrors.length === 0 ? undefined : (index, shardId) => firstOf(recordErrors, index, shardId),
      storeOrder: actions.some(action => action.kind === 'shuffle') ? count => this.#shuffled(count) : undefined,
      shardsAgoMs: total(action => (action.kind === 'staleShards' ? action.agoMs : 0)),
      recordCountDifference: total(action => (action.kind === 'recordCount' ? action.difference : 0))
    }
  }

  #recordError(action: FaultAction): FaultDecision['recordError'] {
    if (action.kind === 'throttle') {
      const error = { errorCode: 'ProvisionedThroughputExceededException', isStored: false }
      return (_index, shardId) => (action.shardIds?.includes(shardId) === false ? undefined : error)
    }
    if (action.kind !== 'failRecords') return undefined
    const { errorCode, errorMessage, isStored = false, records = {} } = action
    const error = { errorCode, errorMessage, isStored }
    return (index, shardId) => (this.#isSelected(records, index, shardId) ? error : undefined)
  }

  #isSelected(records: RecordSelection, index: number, shardId: string): boolean {
    if (records.indexes?.includes(index) === false) return false
    if (records.shardIds?.includes(shardId) === false) return false
    if (records.everyNth !== undefined && index % records.everyNth !== 0) return false
    return records.probability === undefined || this.#draw() < records.probability
  }

  #shuffled(count: number): readonly number[] {
    const order = Array.from({ length: count }, (_, i) => i)
    for (let i = count - 1; i > 0; i--) {
      const other = Math.floor(this.#draw() * (i + 1))
      const moved = order[i]!
      order[i] = order[other]!
      order[other] = moved
    }
    return order
  }

  #draw(): number {
    return this.#random?.() ?? 0
  }
}

/** The decision for a request that no rule matches. */
export const NO_FAULT: FaultDecision = {
  requestDelayMs: 0,
  answerDelayMs: 0,
  isApplied: true,
  ending: undefined,
  recordError: undefined,
  storeOrder: undefined,
  shardsAgoMs: 0,
  recordCountDifference: 0
}

type EndingAction = Extract<FaultAction, { kind: 'failRequest' | 'reset' | 'silence' | 'rawAnswer' }>

function isEnding(action: FaultAction): action is EndingAction {
  return (
    action.kind === 'failRequest' || action.kind === 'reset' || action.kind === 'silence' || action.kind === 'rawAnswer'
  )
}

function endingOf(action: EndingAction): FaultEnding {
  switch (action.kind) {
    case 'failRequest': {
      const { errorCode, errorMessage = 'Made to fail by the fault plan.', statusCode } = action
      return { kind: 'error', error: new FakeServiceError(errorCode, errorMessage, statusCode) }
    }
    case 'reset':
    case 'silence':
      return { kind: action.kind }
    case 'rawAnswer':
      return { kind: 'raw', statusCode: action.statusCode, contentType: action.contentType, body: action.body }
    default:
      return assertNever(action)
  }
}

function firstOf(
  errors: readonly NonNullable<FaultDecision['recordError']>[],
  index: number,
  shardId: string
): RecordError | undefined {
  for (const error of errors) {
    const found = error(index, shardId)
    if (found !== undefined) return found
  }
  return undefined
}

function needsRandom(rule: FaultRule): boolean {
  const { match, action } = rule
  const isDrawnPerRecord = action.kind === 'failRecords' && action.records?.probability !== undefined
  return match?.probability !== undefined || isDrawnPerRecord || action.kind === 'shuffle'
}
