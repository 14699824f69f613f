/** A contact sheet: a picture of each clip with the name of its file and its time, on one page that needs no script. */
import { clockText, timeText } from '../table/facts.ts'
import { type Html, html, jpegUrl, page } from './html.ts'
import { type Report, Told } from './report.ts'
import { STYLE } from './style.ts'

export interface Tile {
  title: string
  start: number
  end: number
  /** Null where the frame could not be read. */
  jpeg: string | null
  ordinal: number
  /** Of the picture, seconds. */
  time: number
}

export function sheetPage(sheet: Omit<Report, 'videos' | 'withoutPictures'> & { tiles: readonly Tile[] }): Html {
  const told = new Told(sheet)
  const { words } = told
  const { subject, library, tiles, leftOut, tooMany } = sheet
  const title = `${words.sheet}: ${subject === null ? library : `“${subject}”`}`
  const missing = [...leftOut.map((name) => words.leftOutVideo(name)), ...(tooMany > 0 ? [words.tooMany(told.number(tooMany))] : [])]
  return page({
    language: sheet.language,
    title,
    style: STYLE,
    body: html`<header>
<h1>${title}</h1>
<p>${words.madeAt(told.date(sheet.at), sheet.timeZone)} ${words.madeWith(sheet.appVersion)}. ${told.clips(tiles.length)}.</p>
</header>
<main>
<div class="tiles">${tiles.map((tile) => tileFigure(tile, told))}</div>
${missing.length === 0 ? null : html`<section><h2>${words.leftOut}</h2><ul>${missing.map((line) => html`<li>${line}</li>`)}</ul></section>`}
</main>`,
  })
}

function tileFigure({ title, start, end, jpeg, ordinal, time }: Tile, { words }: Told): Html {
  const picture =
    jpeg === null
      ? html`<p class="warn">${words.noPicture}</p>`
      : html`<div><img alt="${words.alt(ordinal, clockText(time), title)}" src="${jpegUrl(jpeg)}"></div>`
  return html`<figure class="picture tile">${picture}<figcaption><strong>${title}</strong><br><span class="time">${timeText(start, end)}</span></figcaption></figure>`
}
