/** Types of notices.mjs, which also runs where no TypeScript is compiled. */
export interface PackageInside {
  /** Its path, such as node_modules/zod. */
  place: string
  name: string
  version: string
  licence: string | undefined
  /** Only what is used of it lies in an installer, in the window's own files. */
  builtIn: boolean
}
export function packagesInside(): PackageInside[]
export function objections(packages: readonly PackageInside[]): string[]
export function noticesOf(packages: readonly PackageInside[]): string
