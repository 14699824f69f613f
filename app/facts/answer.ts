import type { Phrase } from '../phrase.ts'
import type { Language } from '../words.ts'
import type { FactEvidence } from './facts.ts'
import type { ClipMeasures } from './input.ts'
export function answerFrom(_clip: ClipMeasures, _question: string, _language?: Language): { text: string; confidence: number; evidence: FactEvidence } | { cannot: Phrase } | null {
  return null
}
