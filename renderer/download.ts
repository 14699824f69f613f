/** Save a file for the user: a download, in a browser and on the desktop alike. */
export function download(name: string, content: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  // The download has taken the content over by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
