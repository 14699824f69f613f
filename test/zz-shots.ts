import path from 'node:path'
import { chromium } from '@playwright/test'
import { start, forget } from '/work/wt/smol/test/app.ts'
import { writeSmolVlm } from '/work/wt/smol/main/packs/checkpoint.testing.ts'
const out = '/tmp/smol/shots'
const app = await start()
process.env['X'] = ''
const folder = path.join(app.projectDir, 'tiny')
writeSmolVlm(folder)
const url = new URL(app.url)
console.log(app.url)
const browser = await chromium.launch()
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
await page.goto(app.url)
const call = async (method: string, p: string, body?: unknown) =>
  page.evaluate(async ([m, u, b]) => { const r = await fetch(u as string, { method: m as string, ...(b ? { body: JSON.stringify(b), headers: { 'content-type': 'application/json' } } : {}) }); return r.text() }, [method, p, body] as const)
await page.waitForTimeout(1500)
console.log(await call('POST', '/api/packs/import', { path: folder }))
for (let i = 0; i < 60; i++) { await page.waitForTimeout(1000); const o = JSON.parse(await call('GET', '/api/packs')); if (o.packs.some((p: any) => p.id.startsWith('smolvlm')) && o.works.length === 0) break }
console.log((await call('POST', '/api/packs/smolvlm2-96-wide-fp32/use', {})).slice(0, 200))
for (let i = 0; i < 60; i++) { await page.waitForTimeout(1000); const o = JSON.parse(await call('GET', '/api/packs')); if (o.works.length === 0) break }
console.log((await call('POST', '/api/sources', { paths: ['/work/shared/clips/d09_dashcam_short.mp4'] })).slice(0, 200))
for (let i = 0; i < 90; i++) { await page.waitForTimeout(1000); const t = await call('GET', '/api/sources'); if (/"state":"done"/.test(t)) break }
await page.locator('.rail [data-page=packs]').click(); await page.waitForTimeout(2500)
await page.screenshot({ path: `${out}/packs.png` })
const card = page.locator('li[aria-label^="SmolVLM2"]').first(); await card.scrollIntoViewIfNeeded(); await page.waitForTimeout(500)
await page.screenshot({ path: `${out}/packs-card.png` })
const cat = page.locator('li[aria-label*="SmolVLM2-500M"]').first(); await cat.scrollIntoViewIfNeeded(); await page.waitForTimeout(500)
await page.screenshot({ path: `${out}/packs-catalogue.png` })
await page.locator('.rail [data-page=review]').click(); await page.waitForTimeout(2000)
await page.locator('[data-clip]').first().click().catch(() => undefined)
await page.waitForTimeout(2500)
await page.screenshot({ path: `${out}/review.png` })
const ask = page.getByPlaceholder(/ask/i).first()
console.log('ask fields', await page.getByPlaceholder(/ask|question/i).count())
await ask.fill('Why is the driver in a hurry?').catch((e: Error) => console.log(e.message.slice(0, 200)))
await page.keyboard.press('Enter'); await page.waitForTimeout(6000)
await page.screenshot({ path: `${out}/answer.png` })
const why = page.locator('details.why summary'); console.log('why', await why.count()); if (await why.count()) { await why.last().click(); await page.waitForTimeout(2500); await page.screenshot({ path: `${out}/why.png` }) }
await browser.close(); await app.stop(); forget(app)
