"""What the tests of sharing call: each uses what it is given, or does to it what must not hang a run."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

_given: dict[str, Any] = {}


def add(lock: Any, number: Any, times: int) -> None:
    for _ in range(times):
        with lock:
            number.value += 1


def read(number: Any, *needed: Any) -> Any:
    return number.value


def enter_twice(lock: Any, number: Any) -> int:
    """An RLock lets the same process in again."""
    with lock, lock:
        number.value += 1
        return number.value


def few_at_once(few: Any, inside: Any, most: Any) -> None:
    with few:
        with inside.get_lock():
            inside.value += 1
            most.value = max(most.value, inside.value)
        time.sleep(0.01)
        with inside.get_lock():
            inside.value -= 1


def release_too_often(few: Any, *others: Any) -> None:
    few.release()


def set_it(event: Any) -> None:
    event.set()


def wait_for_it(event: Any) -> bool:
    event.wait()
    return event.is_set()


def notify_when(condition: Any, number: Any) -> None:
    with condition:
        number.value = 1
        condition.notify_all()


def wait_until(condition: Any, number: Any) -> int:
    with condition:
        condition.wait_for(lambda: number.value)
    return number.value


def arrive(gate: Any, times: int = 1) -> int:
    for _ in range(times):
        gate.wait()
    return times


def fill(array: Any, position: int, value: float) -> None:
    array[position] = value


def total(array: Any) -> float:
    return float(sum(array))


def put_all(rows: Any, count: int) -> None:
    for number in range(count):
        rows.put(number)


def add_up(rows: Any, *others: Any) -> int:
    return sum(rows)


def add_up_to_none(rows: Any) -> int:
    """The plain way: an object that means the end."""
    return sum(iter(rows.get, None))


def put_and_say_the_end(rows: Any, count: int) -> None:
    put_all(rows, count)
    rows.put(None)


def get_one(rows: Any) -> Any:
    return rows.get()


def pass_on(source: Any, sink: Any) -> None:
    for row in source:
        sink.put(row + 1)


def put_and_wait_until_done(work: Any, count: int) -> str:
    put_all(work, count)
    work.join()
    return "all done"


def deal_with(work: Any) -> int:
    done = 0
    for _ in work:
        done += 1
        work.task_done()
    return done


def say(end: Any, words: str) -> Any:
    end.send(words)
    return end.recv()


def answer(end: Any) -> str:
    heard = end.recv()
    end.send(heard.upper())
    return "answered"


def note(state: Any, seen: Any, name: str) -> None:
    state[name] = len(name)
    seen.append(name)


def what_is_noted(state: Any, seen: Any, *needed: Any) -> list[Any]:
    return [dict(state), sorted(seen)]


def load_model(size: int) -> dict[str, Any]:
    return {"made by": os.getpid(), "size": size}


def maker(model: dict[str, Any], gate: Any) -> int:
    """Who made it; all are there before anybody ends."""
    gate.wait()
    return model["made by"]


def never_made() -> None:
    raise RuntimeError("no model today")


def rows_sum(image: Any, row: int) -> float:
    image[row, :] = row
    return float(image[row].sum())


def row_sum(image: Any, row: int) -> float:
    return float(image[row].sum())


def whole_sum(image: Any, *needed: Any) -> float:
    return float(image.sum())


# -- pools


def take_over(**things: Any) -> None:
    _given.update(things)


def take_over_two(lock: Any, number: Any) -> None:
    take_over(lock=lock, number=number)


def add_given(item: int) -> int:
    with _given["lock"]:
        _given["number"].value += item
    return item


def add_with(item: int, lock: Any, number: Any) -> int:
    with lock:
        number.value += item
    return item


def put_given(count: int, rows: Any) -> None:
    put_all(rows, count)


def put_texts(rows: Any, letter: str, size: int, count: int) -> None:
    for _ in range(count):
        rows.put((letter, letter * size))
        rows.put((letter, letter))


def check_texts(rows: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for letter, text in rows:
        assert set(text) == {letter}
        counts[letter] = counts.get(letter, 0) + 1
    return dict(sorted(counts.items()))


# -- what must not hang


def take_and_die(lock: Any, *others: Any) -> None:
    lock.acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def take(lock: Any) -> str:
    with lock:
        return "got it"


def die_when_another_waits(lock: Any, taken: Any, ready: Any) -> None:
    """Or when it is about to."""
    lock.acquire()
    taken.set()
    ready.wait()
    os.kill(os.getpid(), signal.SIGKILL)


def take_what_is_taken(lock: Any, taken: Any, ready: Any) -> None:
    taken.wait()
    ready.set()
    lock.acquire()


def take_and_return(lock: Any) -> None:
    lock.acquire()


def die(*things: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def get_and_die(rows: Any) -> None:
    rows.get()
    os.kill(os.getpid(), signal.SIGKILL)


def put_sizes(rows: Any, sizes: list[int]) -> None:
    for size in sizes:
        rows.put(bytes(size - 1) + b"e" if size else b"")


def sizes_got(rows: Any) -> list[int]:
    """The sizes of objects of which each ends as it should."""
    return [len(row) if row[-1:] in (b"", b"e") else -1 for row in rows]


def put_and_die(rows: Any, count: int) -> None:
    put_all(rows, count)
    os.kill(os.getpid(), signal.SIGKILL)


def hold_reading_lock_and_die(rows: Any) -> None:
    """What a death between taking an object's token and reading it leaves behind."""
    rows._parts.reading.acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def hold_writing_lock_and_die(rows: Any) -> None:
    rows._parts.writing.acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def both(first: Any, second: Any, gate: Any) -> None:
    """Two that do this the other way round wait for each other."""
    with first:
        gate.wait()
        with second:
            pass


def wait_for_set(event: Any) -> None:
    event.wait()


def wait_notified(condition: Any) -> None:
    with condition:
        condition.wait()


def receive(end: Any) -> Any:
    return end.recv()


def never_done(work: Any) -> None:
    for _ in range(work.qsize()):
        work.get()


def wait_with_a_thread(lock: Any) -> str:
    """Waits for what a thread of its own gives back."""
    lock.acquire()
    threading.Timer(2.5, lock.release).start()
    lock.acquire()
    return "given back"


def take_with_patience(lock: Any) -> bool:
    return lock.acquire(timeout=2.5)


def hold_value_and_die(number: Any) -> None:
    number.get_lock().acquire()
    os.kill(os.getpid(), signal.SIGKILL)


def put_and_get(rows: Any) -> Any:
    rows.put(1)
    return rows.get()


def write_half_and_die(rows: Any) -> None:
    """What a death amid a long object leaves behind: it can be read while it is written."""
    rows._parts.writing.acquire()
    os.write(rows._parts.writer.fileno(), (1_000_000).to_bytes(8, "little") + b"x" * 1000)
    rows._out.tell_written(1)
    os.kill(os.getpid(), signal.SIGKILL)


def take_with(item: int, lock: Any) -> int:
    with lock:
        return item


def put_late(rows: Any) -> None:
    time.sleep(2)
    rows.put(1)


def nap(seconds: float) -> None:
    time.sleep(seconds)


def nap_with(seconds: float, *things: Any) -> None:
    time.sleep(seconds)


def hold_and_say(lock: Any, state: Any, number: Any, file: str) -> None:
    """Say the pids of this process and of the manager, and stay."""
    lock.acquire()
    state["here"] = True
    with open(f"{file}.new", "w", encoding="utf-8") as written:
        written.write(f"{os.getpid()} {manager_pid(state)}")
    os.rename(f"{file}.new", file)
    time.sleep(60)


def manager_pid(state: Any) -> int:
    connection = state._Client(state._token.address, authkey=state._authkey)
    try:
        import socket
        import struct

        with socket.socket(fileno=os.dup(connection.fileno())) as peer:
            return int(struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])
    finally:
        connection.close()


def numbers(count: int, pause: float = 0.0) -> Any:
    """A source that doesn't say how many it has, the last of which comes late."""
    yield from range(count - 1)
    time.sleep(pause)
    yield count - 1


def quick(item: int, *things: Any, **more: Any) -> int:
    return item


def take_if_last(item: int, lock: Any, last: int) -> int:
    if item == last:
        lock.acquire()
    return item


def wait_if_first(item: int, event: Any) -> int:
    if item == 0:
        event.wait()
    return item


def set_if(item: int, event: Any, when: int) -> int:
    if item == when:
        event.set()
    return item


def arrive_each(item: int, gate: Any) -> int:
    gate.wait()
    return item


def put_each(item: int, rows: Any) -> int:
    rows.put(item)
    return item
