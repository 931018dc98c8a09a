"""One request at a time, the newest writing first; a reader who stops is let go at once."""

from __future__ import annotations

import threading

from tests.waiting import PATIENCE, until
from xinv_nb.models.queue import RequestQueue


def test_one_at_a_time_and_the_newest_first() -> None:
    queue, order, never = RequestQueue(), [], threading.Event()
    release = threading.Event()
    inside = []

    def take(name: str, ticket: int, wait: threading.Event | None = None) -> None:
        with queue.turn(ticket, never):
            inside.append(name)
            assert len(inside) == 1
            order.append(name)
            if wait is not None:
                wait.wait(PATIENCE)
            inside.remove(name)

    tickets = [queue.ticket() for _ in range(4)]
    first = threading.Thread(target=take, args=("first", tickets[0], release))
    first.start()
    until(lambda: order == ["first"])
    others = [threading.Thread(target=take, args=(f"number {i}", tickets[i])) for i in (1, 3, 2)]
    for thread in others:
        thread.start()
    until(lambda: len(queue._waiting) == 3)
    release.set()
    for thread in (first, *others):
        thread.join(PATIENCE)
    assert order == ["first", "number 3", "number 2", "number 1"]


def test_who_stops_waiting_holds_up_nobody() -> None:
    queue, stop, never = RequestQueue(), threading.Event(), threading.Event()
    old, new = queue.ticket(), queue.ticket()
    got: list[bool] = []

    def wait() -> None:
        with queue.turn(new, stop) as granted:
            got.append(granted)

    with queue.turn(old, never) as granted:
        assert granted
        waiting = threading.Thread(target=wait)
        waiting.start()
        until(lambda: queue._waiting)
        stop.set()
        waiting.join(PATIENCE)
        assert got == [False]
    with queue.turn(old, never) as granted:
        assert granted
