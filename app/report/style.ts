/** How a report looks, on a screen and on paper. */
export const STYLE = `
:root { color-scheme: light; --text: #16191d; --muted: #59626d; --line: #dfe3e8; --accent: #2f5bea; --good: #156f3d; --warn: #8a5200; --bad: #b42318; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 32px 40px 64px; background: #fff; color: var(--text); font: 14px/1.5 system-ui, 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0 0 4px; font-size: 28px; line-height: 1.25; }
h2 { margin: 40px 0 12px; padding-top: 12px; border-top: 2px solid var(--text); font-size: 20px; line-height: 1.3; }
h3 { margin: 0 0 10px; font-size: 16px; }
h4 { margin: 0 0 4px; font-size: 12px; color: var(--muted); }
p { margin: 0 0 8px; }
header p, .muted, figcaption, .source, small { color: var(--muted); }
.source, small, figcaption { font-size: 12px; }
code { font: 12px/1.4 ui-monospace, 'Liberation Mono', monospace; }
ul { margin: 0; padding-left: 18px; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px 24px; margin: 0 0 16px; }
dt { font-size: 12px; color: var(--muted); }
dd { margin: 0; font-weight: 500; }
code { font-weight: 400; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 20px 32px; }
figure { margin: 0; break-inside: avoid; }
.chart figcaption { margin-bottom: 6px; color: var(--text); font-weight: 600; font-size: 13px; }
.chart figcaption small { font-weight: 400; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--text); }
rect.sure { fill: var(--accent); }
rect.unsure, pattern rect { fill: #c98a2b; }
rect.striped { fill: url(#stripes); stroke: #c98a2b; }
rect.accepted { fill: var(--good); }
rect.edited { fill: #6d4bc4; }
rect.rejected { fill: var(--bad); }
rect.whole { fill: var(--line); }
.key { display: flex; flex-wrap: wrap; gap: 2px 16px; padding: 6px 0 0; list-style: none; font-size: 12px; }
.swatch { display: inline-block; width: 10px; height: 10px; margin-right: 6px; border-radius: 2px; background: var(--accent); }
.swatch.unsure { background: #c98a2b; }
.swatch.accepted { background: var(--good); }
.swatch.edited { background: #6d4bc4; }
.swatch.rejected { background: var(--bad); }
.line { margin-bottom: 20px; }
.line svg { height: 14px; }
.ends { display: flex; justify-content: space-between; font-size: 12px; color: var(--muted); font-variant-numeric: tabular-nums; }
.legend ul { max-width: 80ch; }
article { margin: 0 0 28px; padding-top: 16px; border-top: 1px solid var(--line); }
.time { font-weight: 400; color: var(--muted); font-variant-numeric: tabular-nums; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 10px; margin-bottom: 12px; }
.picture:only-child { max-width: 560px; }
.picture div { position: relative; aspect-ratio: var(--ratio); width: min(100%, 420px * var(--ratio)); background: #f1f3f5; }
.picture img, .picture svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.picture rect { fill: none; stroke: #ffd400; stroke-width: 2; vector-effect: non-scaling-stroke; }
.picture rect.unsure { stroke-dasharray: 6 4; }
.picture rect.accepted, .picture rect.edited { stroke: #3ddc84; }
.picture text { fill: #fff; stroke: #000; paint-order: stroke; font-weight: 600; }
.caption { margin-bottom: 12px; font-size: 15px; }
.said { unicode-bidi: isolate; white-space: pre-line; }
.said.unsure { font-style: italic; }
.said.rejected { text-decoration: line-through; }
.chip { display: inline-block; padding: 0 7px; border: 1px solid currentColor; border-radius: 9px; font-size: 11px; line-height: 17px; white-space: nowrap; color: var(--muted); }
.chip.unsure { color: var(--warn); border-style: dashed; font-style: italic; }
.chip.accepted { color: var(--good); }
.chip.edited { color: #5636a8; }
.chip.rejected, .warn { color: var(--bad); }
.blocks { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); gap: 12px 28px; }
.blocks:not(:has(*)) { display: none; }
.block { margin-bottom: 12px; }
.answers { grid-template-columns: 1fr; gap: 6px; margin: 0; }
table { width: 100%; border-collapse: collapse; font-size: 13px; }
th, td { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: 400; font-variant-numeric: tabular-nums; }
thead th { font-size: 12px; color: var(--muted); }
tbody th { font-weight: 600; }
.tile div { aspect-ratio: 16 / 9; width: 100%; }
.tile img { object-fit: contain; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 14px; }
@media (max-width: 640px) { body { padding: 20px 16px 40px; } .charts { grid-template-columns: minmax(0, 1fr); } }
@media print {
  @page { margin: 14mm; @bottom-right { content: counter(page) ' / ' counter(pages); color: #59626d; font: 9pt system-ui, sans-serif; } }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  h2, h3, h4, .video > dl, .video > .line { break-after: avoid; }
  .pictures, tr, .caption, .block li, dl > div, .line { break-inside: avoid; }
  .charts { grid-template-columns: 1fr 1fr; }
  .pictures { grid-template-columns: repeat(3, 1fr); }
  .picture div { width: min(100%, 68mm * var(--ratio)); }
  .picture:only-child { grid-column: span 2; }
  .tile div { width: 100%; }
  .tiles { grid-template-columns: repeat(4, 1fr); }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`
