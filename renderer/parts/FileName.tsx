import { Fragment } from 'react'

/** A file's name, which breaks after the marks that people put between its words. */
export function FileName({ of }: { of: string }) {
  return of.split(/(?<=[_.-])(?=\w)/).map((part, at) => (
    <Fragment key={at}>
      {at > 0 && <wbr />}
      {part}
    </Fragment>
  ))
}
