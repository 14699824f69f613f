/** One thing stands in one way: what an answer says for sure, facts and captions say once the question was asked. */
import { expect, it } from 'vitest'
import { answerFrom } from './answer.ts'
import { namesAsked, withAsked } from './asked.ts'
import { captionOf } from './caption.ts'
import { clip, KNOWN, thing } from './clip.testing.ts'
import { factsOf } from './facts.ts'
import { SURE } from './reliability.ts'
import { toldFacts } from './told.ts'

it('a question asks for the names of what it is about; one about all that is there asks for none', () => {
  expect(namesAsked('How many people are there?', KNOWN)).toEqual(['person'])
  expect(namesAsked('Ist der Hund größer als das Pferd?', KNOWN).sort()).toEqual(['dog', 'horse'])
  expect(namesAsked('Who is there?', KNOWN)).toEqual(['person'])
  for (const question of ['What is there?', 'What animals are there?', 'Does the camera move?', 'What appears first?', 'hm'])
    expect(namesAsked(question, KNOWN)).toEqual([])
})

it.each([
  ['one weak', [0.6], 'How many people are there?', 'A person'],
  ['one that nobody asked for and that is often wrong', [0.82], 'How many bears are there?', 'A bear'],
  ['a sure and a weak one', [0.97, 0.6], 'How many cars are there?', 'Two cars'],
  ['one weak, asked for by yes or no', [0.6], 'Is there a car?', 'A car'],
])('%s: answer, facts and caption say the same', (_, scores, question, said) => {
  const label = /people/.test(question) ? 'person' : /bear/.test(question) ? 'bear' : 'car'
  const measured = clip(scores.map((score, at) => thing({ label, score, at: [100 + at * 300, 180], size: [60, 120] })))
  const known = { ...measured, things: measured.things && { ...measured.things, known: [...KNOWN, 'bear'] } }
  const answer = answerFrom(known, question)
  if (answer === null || 'cannot' in answer) throw new Error('no answer')
  expect(answer.confidence).toBeGreaterThanOrEqual(SURE)
  expect(captionOf(factsOf(known), 10, 'en')?.text ?? '').not.toMatch(new RegExp(`^${said}`))
  const facts = factsOf(withAsked(known, [question]))
  expect(toldFacts(facts)[0]?.text.en).toMatch(new RegExp(`^${said}\\b`))
  expect(captionOf(facts, 10, 'en')?.text).toMatch(new RegExp(`^${said}\\b`))
  expect(answer.text.toLowerCase()).toContain(said === 'Two cars' ? 'two cars' : label)
})

it('what is not asked for stays as it was, and what is too weak for an answer is in no statement', () => {
  const measured = clip([thing({ label: 'dog', score: 0.6 }), thing({ label: 'car', score: 0.3 })])
  const asked = withAsked(measured, ['Is there a car?'])
  expect(asked.things?.tracks).toEqual(measured.things?.tracks)
  expect(factsOf(asked).filter(({ kind }) => kind === 'name')).toEqual([])
})
