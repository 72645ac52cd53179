export function createAwsTransport(_options: object): never {
  throw new Error('placeholder: overwrite me')
}
