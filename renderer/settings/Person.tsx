import { useQuery } from '@tanstack/react-query'
import { LONGEST_NAME } from '../../app/handover.ts'
import { call } from '../api.ts'
import { queryClient } from '../cache.ts'
import { t } from '../i18n.ts'
import { tell } from '../toast.ts'

/** The name that decisions are stored with. */
export function Person() {
  const { data } = useQuery({ queryKey: ['person'], queryFn: () => call('person') })
  if (data === undefined) return null
  const save = (name: string) => {
    if (name.trim() === data.name) return
    void call('setPerson', { body: { name } })
      .then(() => queryClient.invalidateQueries({ queryKey: ['person'] }))
      .catch(tell)
  }
  return (
    <>
      <label className="setting">
        <span>{t('Your name')}</span>
        <input
          key={data.name}
          defaultValue={data.name}
          maxLength={LONGEST_NAME}
          autoComplete="off"
          placeholder={t('no name')}
          onBlur={({ target }) => save(target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') event.currentTarget.blur()
          }}
        />
      </label>
      <p className="muted small">
        {t(
          'It is stored with what you decide from now on, so that others know whose it is: in this library, in files that you hand over and in exports that can hold it. It is sent to nobody.',
        )}
      </p>
    </>
  )
}
