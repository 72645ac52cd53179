/**
 * The page of the documentation that explains an error code: by the class that carries it, because a class has one kind of reader.
 * Invariant: every code has one page; users of a producer find only those that they receive in docs/errors.md.
 */
import { ERRORS, type ErrorCode } from '../../src/model/errors.ts'

export const ERROR_PAGES = [
  'docs/errors.md',
  'docs/consumer-errors.md',
  'docs/schema-errors.md',
  'docs/transports.md'
] as const
export type ErrorPage = (typeof ERROR_PAGES)[number]

export const CODES = Object.keys(ERRORS) as ErrorCode[]

const PAGE_OF_CLASS: Readonly<Record<(typeof ERRORS)[ErrorCode]['class'], ErrorPage>> = {
  OptionsError: 'docs/errors.md',
  InvalidRecordError: 'docs/errors.md',
  ProducerError: 'docs/errors.md',
  RecordFailedError: 'docs/errors.md',
  TransportError: 'docs/transports.md',
  StreamReadError: 'docs/consumer-errors.md',
  ConsumerError: 'docs/consumer-errors.md',
  MalformedEnvelopeError: 'docs/consumer-errors.md',
  SchemaError: 'docs/schema-errors.md'
}

/** Only the log shows KPL_ERR_BAD_SHARD_MAP: it is about the answer of a transport. */
export function pageOf(code: ErrorCode): ErrorPage {
  return code === 'KPL_ERR_BAD_SHARD_MAP' ? 'docs/transports.md' : PAGE_OF_CLASS[ERRORS[code].class]
}

export function codesOf(page: ErrorPage): ErrorCode[] {
  return CODES.filter(code => pageOf(code) === page)
}
