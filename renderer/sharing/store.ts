/** The file that was handed over by somebody else and is looked at in the dialog. */
import { create } from 'zustand'
import type { Merge } from '../../app/contract/sharing.ts'
import { call } from '../api.ts'
import { useUi } from '../store.ts'

interface SharingState {
  /** Null until one is chosen. */
  file: string | null
  /** What it would bring, once it was read. */
  read: Merge | null
}
export const useSharing = create<SharingState>(() => ({ file: null, read: null }))

export const isHandedOver = (name: string): boolean => /\.tubelet$/i.test(name)

/** @param file Null where it is chosen in the dialog. */
export function lookAtFile(file: string | null): void {
  useSharing.setState({ file, read: null })
  useUi.getState().open('shared')
}

/** The dialog was closed: put away what was read and not taken. */
export function putAway(): void {
  const { read } = useSharing.getState()
  useSharing.setState({ file: null, read: null })
  if (read) void call('leaveMerge', { params: { mergeId: read.mergeId } }).catch(() => undefined)
}
