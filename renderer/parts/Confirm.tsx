import { useEffect, useRef } from 'react'
import { create } from 'zustand'
import { t } from '../i18n.ts'

interface Question {
  title: string
  text: string
  /** The label of the button that agrees. */
  yes: string
  /** The label of the button that changes nothing. */
  no?: string
  answer: (yes: boolean) => void
}

const useQuestion = create<{ asked: Question | null }>(() => ({ asked: null }))

/** Ask before something that the person may not have meant; anything but the named button means no. */
export function confirmed(question: Omit<Question, 'answer'>): Promise<boolean> {
  // If a question is already open, it is answered with no.
  useQuestion.getState().asked?.answer(false)
  return new Promise((resolve) => {
    const answer = (yes: boolean) => {
      useQuestion.setState({ asked: null })
      resolve(yes)
    }
    useQuestion.setState({ asked: { ...question, answer } })
  })
}

/** The open question. The button that changes nothing has the focus. */
export function Confirm() {
  const asked = useQuestion((state) => state.asked)
  return asked && <Asked key={`${asked.title} ${asked.text}`} {...asked} />
}

function Asked({ title, text, yes, no = t('Leave them'), answer }: Question) {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const { current } = ref
    const before = document.activeElement
    current?.showModal()
    return () => {
      current?.close()
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog ref={ref} className="dialog" aria-label={title} onCancel={() => answer(false)}>
      <header>
        <h2>{title}</h2>
      </header>
      <div className="dialog-body">
        <p>{text}</p>
        <div className="row">
          <span className="grow" />
          <button autoFocus onClick={() => answer(false)}>
            {no}
          </button>
          <button className="danger" onClick={() => answer(true)}>
            {yes}
          </button>
        </div>
      </div>
    </dialog>
  )
}
