"""How far one host carries: workers, the host's one thread, Redis and the network, event by event, with service times that were measured.

    python -m models.scale          # writes the two plots in docs/scale and prints the table of docs/scale.md

A video passes through these queues, each first come, first served: Redis (a ticket), the host's thread (to be given out), the host's
network (its bytes, where the worker has no shared folder), the worker (its analysis), the host's thread again (its results). Every worker
also tells the host every two seconds how far it is.
"""

import heapq
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

PLOTS = Path(__file__).parent.parent / "docs" / "scale"
CLIPS = 10_000_000
WORKERS = (1, 3, 10, 30, 100, 300, 1000)


@dataclass(frozen=True)
class Measured:
    """Seconds, by `npm run bench -- --workers` on a machine with eight times as much work as cores (docs/bench.md): their relation counts."""

    redis: float = 0.0010
    """Time of Redis for one ticket: made, drawn, its lock renewed, put away."""
    host_video: float = 0.21
    """The host's thread for one video, whatever its length: given out, its parcel taken, the end of its job."""
    host_clip: float = 0.155
    """The host's thread to store one clip."""
    host_tell: float = 0.002
    """The host's thread to hear one worker once: assumed."""
    analyse: float = 1.4
    """A worker, one video at a time, for one clip (of eight seconds there)."""
    clips: int = 12
    """Clips of a video: a minute."""
    bytes: float = 60 * 1e6
    """Of a video: a minute of 1080p at 8 Mbit/s."""
    link: float = 1e9 / 8
    """Bytes a second that the host's network takes: 1 Gbit/s. The disks behind a shared folder are not the host's."""


def simulate(workers: int, at: Measured, fetched: bool, speed: float, seed: int = 1) -> dict[str, float]:
    """Clips a second in a steady state, and the share of the time that each resource is busy.

    Args:
        fetched: whether videos come over the host's network, or lie in a shared folder.
        speed: of a worker, in those that were measured: a machine with more cores, or a GPU.
    """
    rng = np.random.default_rng(seed)
    videos = max(2_000, 20 * workers)
    free = {"redis": 0.0, "host": 0.0, "network": 0.0}
    busy = dict.fromkeys(free, 0.0)
    # What it hears beside: a share of its time.
    told = min(0.95, workers * at.host_tell / 2)

    def use(what: str, when: float, seconds: float) -> float:
        seconds /= 1 - told if what == "host" else 1
        begun = max(when, free[what])
        free[what] = begun + seconds
        busy[what] += seconds
        return free[what]

    def ticket(now: float) -> None:
        heapq.heappush(events, (use("redis", now, at.redis), next(order), "given"))

    # In the order of time: each stage of a video asks for its resource when it comes to it.
    order = iter(range(10**9))
    events: list[tuple[float, int, str]] = []
    for _ in range(workers):
        heapq.heappush(events, (rng.uniform(0, at.clips * at.analyse / speed), next(order), "drawn"))
    done, ends = 0, []
    while done < videos:
        now, _, stage = heapq.heappop(events)
        if stage == "drawn":
            ticket(now)
        elif stage == "given":
            heapq.heappush(events, (use("host", now, at.host_video / 2), next(order), "fetched"))
        elif stage == "fetched":
            there = use("network", now, at.bytes / at.link) if fetched else now
            took = at.clips * at.analyse / speed * rng.lognormal(-0.125, 0.5)
            heapq.heappush(events, (there + took, next(order), "stored"))
        elif stage == "stored":
            heapq.heappush(events, (use("host", now, at.host_video / 2 + at.clips * at.host_clip), next(order), "done"))
        else:
            done += 1
            ends.append(now)
            ticket(now)
    # The first half is the start.
    half = len(ends) // 2
    rate = (len(ends) - half) / (ends[-1] - ends[half - 1])
    return {
        "clips": rate * at.clips,
        **{what: min(1.0, seconds / max(ends[-1], free[what]) + (told if what == "host" else 0)) for what, seconds in busy.items()},
    }


def main() -> None:
    at = Measured()
    kinds = {
        "shared folder, workers as measured": (False, 1.0),
        "fetched over 1 Gbit/s, workers as measured": (True, 1.0),
        "shared folder, workers 10 times as fast": (False, 10.0),
    }
    results = {name: [simulate(n, at, fetched, speed) for n in WORKERS] for name, (fetched, speed) in kinds.items()}
    figure, axes = plt.subplots(figsize=(7, 4.5))
    for name, rows in results.items():
        axes.loglog(WORKERS, [row["clips"] for row in rows], marker="o", label=name)
    axes.loglog(WORKERS, [n / at.analyse for n in WORKERS], "k:", label="if nothing were shared")
    axes.set(xlabel="workers", ylabel="clips a second", title="What one host carries")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(PLOTS / "throughput.png", dpi=110, bbox_inches="tight")
    figure, panes = plt.subplots(1, len(kinds), figsize=(12, 3.6), sharey=True)
    for pane, (name, rows) in zip(panes, results.items(), strict=True):
        for what, label in (("host", "host's thread"), ("network", "host's network"), ("redis", "Redis")):
            pane.semilogx(WORKERS, [100 * row[what] for row in rows], marker="o", label=label)
        pane.set_title(name, fontsize=9)
        pane.set_xlabel("workers")
        pane.grid(alpha=0.3)
    panes[0].set_ylabel("busy, %")
    panes[0].legend()
    figure.savefig(PLOTS / "busy.png", dpi=110, bbox_inches="tight")
    print(f"| workers | {' | '.join(f'{name}: clips/s, days for 10 million' for name in kinds)} |")
    print("|---" * (len(kinds) + 1) + "|")
    for place, n in enumerate(WORKERS):
        cells = [f"{rows[place]['clips']:.1f}, {CLIPS / rows[place]['clips'] / 86_400:.1f}" for rows in results.values()]
        print(f"| {n:,} | {' | '.join(cells)} |")
    for name, rows in results.items():
        print(name, [{key: round(value, 3) for key, value in row.items()} for row in rows][-3:])


if __name__ == "__main__":
    main()
