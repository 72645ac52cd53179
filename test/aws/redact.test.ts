import { expect, test } from 'vitest'
import { redacted } from '../../src/aws/redact.ts'

test('keys of the request are taken out, wherever they stand', () => {
  const text = "Value 'customer-42' at 'records.1' (customer-42) failed"

  expect(redacted(text, ['other', 'customer-42'])).toBe("Value '[key]' at 'records.1' ([key]) failed")
})

test('keys that are as short as a word are left, for they would take the text with them', () => {
  expect(redacted('a stream is at fault', ['a', 'is'])).toBe('a stream is at fault')
})

test.each([
  ['a secret', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
  ['a token', `IQoJb3JpZ2luX2VjE${'Ab3/'.repeat(60)}==`],
  ['data in base64', Buffer.from('what nobody else should read').toString('base64')]
])('%s is taken out', (_, secret) => {
  expect(redacted(`before ${secret} after`, [])).toBe('before [redacted] after')
})

test.each([
  'Rate exceeded for shard shardId-000000000012 in stream orders-production-eu under account 123456789012.',
  'User: arn:aws:sts::123456789012:assumed-role/order-service/i-0123456789abcdef0 is not authorized to perform: kinesis:PutRecords',
  'Stream arn:aws:kinesis:eu-west-1:123456789012:stream/orders not found'
])('what a service says of itself is left: %s', text => {
  expect(redacted(text, ['customer-42'])).toBe(text)
})

test('a megabyte takes no time to speak of', () => {
  const start = process.cpuUsage()

  redacted('x'.repeat(1_048_576), ['customer-42'])

  expect(process.cpuUsage(start).user).toBeLessThan(300_000)
})
