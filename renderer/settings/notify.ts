/** Announces the end of a batch to a person who looks elsewhere. */
import { desktop } from '../desktop.ts'
import { t } from '../i18n.ts'
import { usePreferences } from './preferences.ts'

/** A browser asks the person the first time, and may only do so after a click. Resolves to whether notifications may be shown. */
export async function mayNotify(): Promise<boolean> {
  if (desktop !== null) return true
  if (!('Notification' in window)) return false
  return (await Notification.requestPermission()) === 'granted'
}

/** @param done and failed: files. */
export function batchDone({ done, failed }: { done: number; failed: number }): void {
  const { notify, sound } = usePreferences.getState()
  if (!notify || document.hasFocus()) return
  const body = [
    ...(done > 0 ? [t('{{count, number}} videos done', { count: done })] : []),
    ...(failed > 0 ? [t('{{count, number}} could not be read', { count: failed })] : []),
  ].join(', ')
  if (desktop !== null) desktop.notify(t('Analysis finished'), body)
  else if ('Notification' in window && Notification.permission === 'granted')
    new Notification(t('Analysis finished'), { body, silent: true }).onclick = () => window.focus()
  if (sound) chime()
}

/** Two soft tones, 0.4 s. */
export function chime(): void {
  const context = new AudioContext()
  for (const [at, frequency] of [
    [0, 660],
    [0.16, 880],
  ] as const) {
    const [tone, volume] = [context.createOscillator(), context.createGain()]
    tone.frequency.value = frequency
    volume.gain.setValueAtTime(0.12, context.currentTime + at)
    volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + at + 0.24)
    tone.connect(volume).connect(context.destination)
    tone.start(context.currentTime + at)
    tone.stop(context.currentTime + at + 0.25)
  }
  setTimeout(() => void context.close(), 600)
}
