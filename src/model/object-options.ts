/**
 * The types of the options that are objects: the SDK's own, where the SDK has one.
 * Invariant: types only. The table of options has the names, options.ts gives each name its type.
 */

import type { KinesisClientConfig } from '@aws-sdk/client-kinesis'
import type { Logger } from './ports.ts'

/** A KinesisClient of any release of the SDK, or an object that sends its commands in the same way. */
export interface KinesisClientLike {
  /** Sends one command of `@aws-sdk/client-kinesis`, and resolves to its output. */
  send(command: never, options?: never): Promise<unknown>
}

/** The type of each option of the kind `object`. */
export interface ObjectOptions {
  readonly credentials: NonNullable<KinesisClientConfig['credentials']>
  readonly requestHandler: NonNullable<KinesisClientConfig['requestHandler']>
  readonly client: KinesisClientLike
  readonly logger: Logger
}
