/**
 * The flags of `tail` as commander hands them over.
 * Invariant: types only.
 */

export interface TailFlags {
  readonly from: string
  readonly to?: string
  readonly follow: boolean
  readonly count?: number
  readonly idleExit?: number
  readonly shard: readonly string[]
  readonly key?: string
  readonly grep?: string
  readonly filter?: string
  readonly out: 'text' | 'json' | 'records' | 'raw'
  readonly format?: string
  readonly decode?: 'glue'
  readonly glueEndpoint?: string
  readonly gunzip?: boolean
  readonly cwlogs?: boolean
  readonly checkpoint?: string
  readonly onExpired: 'fail' | 'oldest'
  readonly dedupe?: boolean
  readonly metaOnly?: boolean
  readonly strict?: boolean
}
