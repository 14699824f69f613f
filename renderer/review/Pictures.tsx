import type { Source } from '../../app/contract.ts'
import { picturesOf } from '../../app/media.ts'
import { call } from '../api.ts'
import { t } from '../i18n.ts'
import { queryClient } from '../cache.ts'
import { tell } from '../toast.ts'
import { useUi } from '../store.ts'

/** Which picture of its file this is, for files with several, such as front and rear; the others are one click away. */
export function Pictures({ source: { id, probe } }: { source: Source }) {
  const pictures = probe === null ? [] : picturesOf(probe)
  if (probe === null || pictures.length < 2) return null
  const choose = async (stream: number) => {
    try {
      const chosen = await call('choosePicture', { params: { sourceId: id }, body: { stream } })
      await queryClient.invalidateQueries({ queryKey: ['sources'] })
      useUi.getState().selectSource(chosen.id)
    } catch (error) {
      tell(error)
    }
  }
  const said = t('This file has {{count}} pictures. Shown and analysed:', { count: pictures.length })
  return (
    <div className="row pictures" role="group" aria-label={said}>
      <span className="muted">{said}</span>
      {pictures.map(({ index, title, width, height }, at) => (
        <button
          key={index}
          aria-pressed={index === probe.videoStream}
          onClick={() => index !== probe.videoStream && void choose(index)}
          title={index === probe.videoStream ? t('Shown and analysed') : t('Analyse this picture too, and show it')}
        >
          {[at + 1, ...(title === undefined ? [] : [title]), ...(width && height ? [`${width}×${height}`] : [])].join(' · ')}
        </button>
      ))}
    </div>
  )
}
