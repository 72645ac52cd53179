/**
 * The flags of a Glue schema, for the commands that write, and the one that checks.
 * Invariant: declared once, so that `put`, `gen` and `doctor` mean the same by them.
 */
import { type Command, Option } from 'commander'
import type { Compatibility, DataFormat } from '../../glue/index.ts'

/** Where the schema is. */
export interface SchemaPlaceFlags {
  readonly schema?: string
  readonly schemaName?: string
  readonly schemaFormat?: DataFormat
  readonly registry?: string
  readonly glueEndpoint?: string
}

export interface SchemaFlags extends SchemaPlaceFlags {
  readonly autoRegister?: boolean
  readonly compatibility?: Compatibility
  readonly compress?: 'none' | 'zlib'
}

const RULES = ['NONE', 'DISABLED', 'BACKWARD', 'BACKWARD_ALL', 'FORWARD', 'FORWARD_ALL', 'FULL', 'FULL_ALL']

export function addSchemaPlaceFlags(command: Command): Command {
  return command
    .option('--schema <FILE>', 'definition of the data in the Glue Schema Registry: .avsc, .json or .proto')
    .option('--schema-name <NAME>', 'its name in the registry (the name of the stream)')
    .addOption(
      new Option('--schema-format <FORMAT>', 'its format (by the ending of FILE)').choices(['AVRO', 'JSON', 'PROTOBUF'])
    )
    .option('--registry <NAME>', 'the registry (default-registry)')
    .option('--glue-endpoint <URL>', 'Glue endpoint, for VPC endpoints and local servers')
}

export function addSchemaFlags(command: Command): Command {
  return addSchemaPlaceFlags(command)
    .option('--auto-register', 'register a definition that the registry does not have')
    .addOption(new Option('--compatibility <RULE>', 'of a schema that is created (BACKWARD)').choices(RULES))
    .addOption(new Option('--compress <HOW>', 'zlib where that is smaller (none)').choices(['none', 'zlib']))
}
