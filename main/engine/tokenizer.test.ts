import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { Text } from './tokenizer.ts'

const models = new URL('../../models/', import.meta.url)
const tokenizer = z
  .looseObject({ model: z.looseObject({}), added_tokens: z.array(z.looseObject({ id: z.number() })) })
  .parse(JSON.parse(readFileSync(new URL('packs/openmammut/tokenizer.json', models), 'utf8')))
const clip = new Text({ tokenizer, manifest: { tokenizer: { start: 49406, end: 49407, clean: 'clip' }, dims: { context: 77 } } })
/** Strings and what open_clip's own tokenizer makes of them, without the padding. */
const reference = z
  .array(z.tuple([z.string(), z.array(z.number())]))
  .parse(JSON.parse(gunzipSync(readFileSync(new URL('openmammut/golden/tokens.json.gz', models))).toString()))

it("splits a thousand mixed strings as CLIP's own tokenizer does", () => {
  // Without strings that contain special tokens: typed by a person, they are not words here.
  const strings = reference.filter(([text]) => !/<(start|end)_of_text>/.test(text))
  expect(strings.length).toBeGreaterThan(990)
  expect(strings.filter(([text, ids]) => clip.sentence(text).join() !== ids.join()).map(([text]) => text)).toEqual([])
})

it('reads ids back as words', () => {
  expect(clip.read(clip.sentence("A cat's  naïve, 日本 FOX 🦊!").slice(1, -1))).toBe("a cat 's naïve , 日本 fox 🦊!")
})
