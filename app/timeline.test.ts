import { describe, expect, it } from 'vitest'
import { fitView, follow, panView, ticks, zoomView } from './timeline.ts'

describe('a view of a timeline', () => {
  const views = [
    { from: 0, to: 300 },
    { from: 40, to: 60 },
    { from: 299, to: 300 },
    { from: 0, to: 0.2 },
  ]
  it('never leaves the video, nor shows less than some frames', () => {
    for (const view of views) {
      for (const factor of [0.001, 0.5, 1, 1.3, 1000]) {
        for (const at of [view.from, (view.from + view.to) / 2, view.to]) {
          const { from, to } = zoomView(view, at, factor, 300)
          expect(from).toBeGreaterThanOrEqual(0)
          expect(to).toBeLessThanOrEqual(300 + 1e-9)
          expect(to - from).toBeGreaterThanOrEqual(0.2 - 1e-9)
        }
      }
      for (const by of [-1000, -3, 0, 7, 1000]) {
        const moved = panView(view, by, 300)
        expect(moved.to - moved.from).toBeCloseTo(view.to - view.from)
        expect(moved.from).toBeGreaterThanOrEqual(0)
        expect(moved.to).toBeLessThanOrEqual(300 + 1e-9)
      }
    }
  })
  it('keeps the point that it is zoomed about', () => {
    const zoomed = zoomView({ from: 40, to: 60 }, 45, 2, 300)
    expect(zoomed).toEqual({ from: 42.5, to: 52.5 })
    expect(zoomView(zoomed, 45, 0.5, 300)).toEqual({ from: 40, to: 60 })
  })
  it('shows a video shorter than its shortest stretch whole', () => {
    expect(zoomView({ from: 0, to: 0.1 }, 0.05, 10, 0.1)).toEqual({ from: 0, to: 0.1 })
    expect(fitView({ from: 0, to: 0.1 }, 0.1)).toEqual({ from: 0, to: 0.1 })
  })
  it('turns the page when the time leaves it', () => {
    const view = { from: 40, to: 60 }
    expect(follow(view, 50, 300)).toBe(view)
    expect(follow(view, 61, 300)).toEqual({ from: 60, to: 80 })
    expect(follow(view, 299, 300)).toEqual({ from: 280, to: 300 })
  })
})

describe('ticks', () => {
  it('are round times inside the view', () => {
    expect(ticks({ from: 0, to: 10 }, 10)).toEqual({ times: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], decimals: 0 })
    expect(ticks({ from: 3.7, to: 5.2 }, 8).times.map((time) => time.toFixed(1))).toEqual([
      '3.8',
      '4.0',
      '4.2',
      '4.4',
      '4.6',
      '4.8',
      '5.0',
      '5.2',
    ])
    for (const length of [0.2, 1, 33, 300, 7200, 90_000])
      expect(ticks({ from: 11, to: 11 + length }, 9).times.length).toBeLessThanOrEqual(10)
  })
})
