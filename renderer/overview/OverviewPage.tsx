export function OverviewPage() {
  return <main className="page" />
}
