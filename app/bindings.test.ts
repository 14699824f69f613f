import { describe, expect, it } from 'vitest'
import { bind, type Bindable, Bindings, conflicts, DEFAULT, keysOf, pressed } from './bindings.ts'

const actions: readonly Bindable[] = [
  { id: 'play', scope: 'review', keys: ['Space', 'K'] },
  { id: 'sound', scope: 'review', keys: ['M'] },
  { id: 'merge', scope: 'review', keys: ['Shift+M'] },
  { id: 'key-frame', scope: 'review', keys: ['D'] },
  { id: 'frame-back', scope: 'review', keys: [',', 'ArrowLeft'] },
]
const event = (key: string, more: Partial<Parameters<typeof pressed>[0]> = {}) => ({
  key,
  code: '',
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...more,
})

describe('bindings', () => {
  it('are the action’s own until somebody changes them, and can be taken back one by one', () => {
    const changed = bind(DEFAULT, { id: 'sound', scope: 'review', keys: ['M'] }, ['S'])
    expect(keysOf(actions, DEFAULT).get('sound')).toEqual(['M'])
    expect(keysOf(actions, changed).get('sound')).toEqual(['S'])
    expect(bind(changed, { id: 'sound', scope: 'review', keys: ['M'] }, null)).toEqual(DEFAULT)
    expect(bind(changed, { id: 'sound', scope: 'review', keys: ['M'] }, ['M'])).toEqual(DEFAULT)
    expect(keysOf(actions, bind(DEFAULT, { id: 'sound', scope: 'review', keys: ['M'] }, [])).get('sound')).toEqual([])
  })

  it('of a preset take their keys from other actions', () => {
    const keys = keysOf(actions, { preset: 'cvat', changed: {} })
    expect(keys.get('frame-back')).toEqual(['D'])
    expect(keys.get('key-frame')).toEqual(['K'])
    expect(keys.get('play')).toEqual(['Space'])
    expect(conflicts(actions, { preset: 'cvat', changed: {} }).size).toBe(0)
  })

  it('say where two actions want one key', () => {
    expect(conflicts(actions, DEFAULT).size).toBe(0)
    expect(conflicts(actions, bind(DEFAULT, { id: 'sound', scope: 'review', keys: ['M'] }, ['K', 'Shift+M']))).toEqual(
      new Map([
        ['K', ['play', 'sound']],
        ['Shift+M', ['sound', 'merge']],
      ]),
    )
  })

  it('survive being stored, and what is stored is not trusted', () => {
    expect(Bindings.safeParse(JSON.parse(JSON.stringify(DEFAULT))).success).toBe(true)
    expect(Bindings.safeParse({ preset: 'vim', changed: {} }).success).toBe(false)
  })
})

describe('a key press', () => {
  it('is named as people write it', () => {
    expect(pressed(event('a'))).toBe('A')
    expect(pressed(event('A', { shiftKey: true }))).toBe('Shift+A')
    expect(pressed(event('?', { shiftKey: true }))).toBe('?')
    expect(pressed(event(' '))).toBe('Space')
    expect(pressed(event('z', { metaKey: true, shiftKey: true }))).toBe('Ctrl+Shift+Z')
    expect(pressed(event('ArrowLeft', { altKey: true }))).toBe('Alt+ArrowLeft')
  })

  it('counts J, K and L by place, and what Alt or Ctrl would write by its key', () => {
    expect(pressed(event('t', { code: 'KeyK' }))).toBe('K')
    expect(pressed(event('µ', { code: 'KeyM', altKey: true }))).toBe('Alt+M')
    expect(pressed(event('&', { code: 'Digit1', ctrlKey: true }))).toBe('Ctrl+1')
  })
})
