import { expect, test } from 'vitest'
import type { AnnotationBody, ReviewState } from './annotation.ts'
import { standingOfAnnotation } from './review.ts'

const evidence = { confidence: 0.98, unsure: false, agreement: null, frames: [] }
const standing = (question: string, text: string, state: ReviewState = 'machine') => {
  const body: AnnotationBody = { kind: 'answer', question, text }
  return standingOfAnnotation({ state, evidence, body })
}

test('words that are neither yes nor no do not surely answer what asks for one of them', () => {
  expect(standing('Is there a dog?', 'a brown dog on a lawn')).toBe('unsure')
  expect(standing('Ist ein Hund zu sehen?', 'ein brauner Hund')).toBe('unsure')
  expect(standing('Is there a dog?', 'Yes, a brown one.')).toBe('sure')
  // A choice, and what asks for words.
  expect(standing('Is it red or blue?', 'red')).toBe('sure')
  expect(standing('What is on the lawn?', 'a brown dog')).toBe('sure')
  expect(standing('Is there a dog?', 'a brown dog', 'accepted')).toBe('accepted')
})
