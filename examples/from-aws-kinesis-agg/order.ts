/**
 * What both sides of the migration send.
 * Invariant: plain data.
 */
export interface Order {
  readonly customerId: string
  readonly total: number
}
