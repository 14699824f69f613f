import { X } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { call } from '../api.ts'
import { queryClient, tell, useClips, useLabels } from '../queries.ts'

/** What is detected, in any words; a change is answered from the stored encodings. */
export function LabelEditor() {
  const { data } = useLabels()
  const { data: clips } = useClips()
  const [text, setText] = useState('')
  const labels = data?.labels ?? []
  const save = async (next: readonly string[]) => {
    try {
      queryClient.setQueryData(['labels'], await call('setLabels', { body: { labels: [...next] } }))
    } catch (error) {
      tell(error)
    }
  }
  const add = (event: SubmitEvent) => {
    event.preventDefault()
    const more = text.split(',').map((part) => part.trim()).filter((part) => part !== '')
    setText('')
    if (more.length > 0) void save([...labels, ...more])
  }
  const count = (label: string) => clips?.clips.filter((clip) => clip.labels.includes(label)).length ?? 0
  return (
    <section>
      <h3>Labels to find</h3>
      <ul className="chips" aria-label="Labels">
        {labels.map((label) => (
          <li key={label} className="chip" title={`found in ${count(label)} clips`}>
            {label} <span className="muted num">{count(label)}</span>
            <button className="icon" aria-label={`Remove label ${label}`} onClick={() => void save(labels.filter((other) => other !== label))}><X size={12} /></button>
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
