/** Programs of the documents that are examples of the repository. */
import { expect, test } from 'vitest'
import { programOf } from '../support/examples.ts'
import { generated } from './documents.ts'

test('docs/delivery.md shows the program of examples/node-service', () => {
  const { is, shouldBe } = generated(
    'docs/delivery.md',
    'node-service',
    `\n\`\`\`ts\n${programOf('node-service/main.ts')}\`\`\`\n\n`
  )

  expect(is).toBe(shouldBe)
})
