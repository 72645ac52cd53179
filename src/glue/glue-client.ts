/**
 * The client that users give, and the answers that are read of it.
 * Invariant: of an answer nothing is believed but its shape; what has another is undefined.
 */
import { isVersionId } from './frame.ts'

/** A `GlueClient` of `@aws-sdk/client-glue` 3. Never destroyed here. */
export interface GlueClientLike {
  /** Sends one command of `@aws-sdk/client-glue`, and resolves to its output. */
  send(
    command: object,
    options?: {
      /** Ends the call when it fires. */
      readonly abortSignal?: AbortSignal
    }
  ): Promise<unknown>
  /** The client's configuration; its region is named in errors. */
  readonly config?: {
    /** The region, or a function that returns it. */
    readonly region?: unknown
  }
}

/** A version as Glue tells of it. */
export interface VersionAnswer {
  readonly versionId: string
  /** AVAILABLE, PENDING, FAILURE or DELETING. */
  readonly status: string
  readonly definition: string | undefined
  readonly dataFormat: string | undefined
  readonly schemaArn: string | undefined
}

/** Returns what an answer of GetSchemaByDefinition, GetSchemaVersion, CreateSchema or RegisterSchemaVersion says. */
export function readVersion(answer: unknown): VersionAnswer | undefined {
  const fields: Readonly<Record<string, unknown>> = Object(answer)
  const text = (name: string): string | undefined => {
    const value = fields[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const versionId = text('SchemaVersionId')
  const status = text('Status') ?? text('SchemaVersionStatus')
  if (versionId === undefined || !isVersionId(versionId) || status === undefined) return undefined
  const definition = text('SchemaDefinition')
  return { versionId, status, definition, dataFormat: text('DataFormat'), schemaArn: text('SchemaArn') }
}

/** Returns the client's region; undefined when it has none that it tells. */
export async function regionOf(client: GlueClientLike): Promise<string | undefined> {
  try {
    const region: unknown = client.config?.region
    const value: unknown = typeof region === 'function' ? await region() : region
    return typeof value === 'string' ? value : undefined
  } catch {
    // Not swallowed: the region only completes an error, and a client without one causes an error of its own.
    return undefined
  }
}
