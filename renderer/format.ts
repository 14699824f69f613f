/** Numbers as people read them. */

/** 75.25 → "1:15.25"; hours where there are any. */
export function clock(seconds: number, decimals = 0): string {
  const units = 10 ** decimals
  const total = Math.round(Math.max(0, seconds) * units)
  const whole = Math.floor(total / units)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  const fraction = decimals > 0 ? `.${String(total % units).padStart(decimals, '0')}` : ''
  return `${h > 0 ? `${h}:${two(m)}` : m}:${two(s)}${fraction}`
}

/** "about 5 s", "about 3 min": an estimate needs no more. */
export function about(seconds: number): string {
  if (seconds < 1) return 'a moment'
  if (seconds < 90) return `about ${Math.round(seconds)} s`
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`
  return `about ${(seconds / 3600).toFixed(1)} h`
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3))
  return `${(count / 1000 ** power).toFixed(power === 0 || count / 1000 ** power >= 100 ? 0 : 1)} ${units[power] ?? ''}`
}

/** Made once, ahead: the first use of a locale takes a fifth of a second. */
const grouped = new Intl.NumberFormat('en')

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${grouped.format(count)} ${count === 1 ? one : many}`
}
