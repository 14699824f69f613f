export function QueuePage() {
  return <main className="page" />
}
