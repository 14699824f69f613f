import { Fragment } from 'react'

/** A file's name that may wrap after the marks which people put between words. */
export function FileName({ of }: { of: string }) {
  return of.split(/(?<=[_.-])(?=\w)/).map((part, at) => (
    <Fragment key={at}>
      {at > 0 && <wbr />}
      {part}
    </Fragment>
  ))
}
