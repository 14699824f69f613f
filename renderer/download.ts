/** Save a file for the user as a download, in a browser and on the desktop alike. */
export function download(name: string, content: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(content)
  link.download = name
  link.click()
  // By then the download has read the content.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
