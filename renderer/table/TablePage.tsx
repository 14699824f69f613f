export function TablePage() {
  return <main className="page" />
}
