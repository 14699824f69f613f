import { X } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { withNames } from '../../app/vocabulary.ts'
import { saveVocabulary, useVocabulary } from '../labels/vocabulary.ts'
import { useClips } from '../queries.ts'

/** What is detected, in any words; a change is answered from the stored encodings. */
export function LabelEditor() {
  const labels = useVocabulary()
  const { data: clips } = useClips()
  const [text, setText] = useState('')
  const add = (event: SubmitEvent) => {
    event.preventDefault()
    setText('')
    const grown = withNames(labels, text.split(','))
    if (grown.length > labels.length) void saveVocabulary(grown)
  }
  const count = (label: string) => clips?.clips.filter((clip) => clip.labels.includes(label)).length ?? 0
  return (
    <section>
      <h3>Labels to find</h3>
      <ul className="chips" aria-label="Labels">
        {labels.map(({ name, colour }) => (
          <li key={name} className="chip" title={`found in ${count(name)} clips`}>
            <span className="swatch" style={{ background: colour }} aria-hidden /> {name} <span className="muted num">{count(name)}</span>
            <button className="icon" aria-label={`Remove label ${name}`} onClick={() => void saveVocabulary(labels.filter((other) => other.name !== name))}><X size={12} /></button>
          </li>
        ))}
      </ul>
      <form className="ask" onSubmit={add}>
        <input aria-label="Add a label" placeholder="person, red car…" value={text} maxLength={60} onChange={(event) => setText(event.target.value)} />
      </form>
      <p className="muted small">Any words. New labels are looked for in what is already encoded: no video is read again.</p>
    </section>
  )
}
