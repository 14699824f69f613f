export function PacksPage() {
  return <main className="page" />
}
