"""The rows about sharing, as one writes them with `multiprocessing` alone and with mpire."""

from __future__ import annotations

import multiprocessing
from typing import Any

from benchmarks import sharing_work

Answer = list[int]


# -- a large array

_array: Any = None
_memory: Any = None  # kept, so that the memory stays mapped


def array_by_hand(start_method: str, file: str, workers: int) -> Answer:
    """The file's content in one SharedMemory, which each worker attaches to."""
    from multiprocessing.shared_memory import SharedMemory

    import numpy

    source = numpy.load(file, mmap_mode="r")
    memory = SharedMemory(create=True, size=source.nbytes)
    try:
        numpy.ndarray(source.shape, source.dtype, buffer=memory.buf)[...] = source
        context = multiprocessing.get_context(start_method)
        with context.Pool(workers, _attach, (memory.name, source.shape, source.dtype.str)) as pool:
            return pool.map(_attached_strip_sum, range(sharing_work.STRIPS))
    finally:
        memory.close()
        memory.unlink()


def _attach(name: str, shape: tuple[int, ...], dtype: str) -> None:
    global _array, _memory
    from multiprocessing.shared_memory import SharedMemory

    import numpy

    _memory = SharedMemory(name)
    _array = numpy.ndarray(shape, dtype, buffer=_memory.buf)


def _attached_strip_sum(number: int) -> int:
    return sharing_work.strip_sum(_array, number)


def array_mpire(start_method: str, file: str, workers: int) -> Answer:
    import numpy
    from mpire import WorkerPool

    with WorkerPool(workers, start_method=start_method, shared_objects=numpy.load(file)) as pool:
        return pool.map(sharing_work.strip_sum, range(sharing_work.STRIPS))  # type: ignore[no-any-return]


# -- what is made once in each worker


def table_by_hand(start_method: str, size: int, workers: int) -> Answer:
    with multiprocessing.get_context(start_method).Pool(workers, sharing_work.build) as pool:
        return pool.map(sharing_work.look_up, range(size))


def table_mpire(start_method: str, size: int, workers: int) -> Answer:
    from mpire import WorkerPool

    with WorkerPool(workers, start_method=start_method, use_worker_state=True) as pool:
        return pool.map(  # type: ignore[no-any-return]
            sharing_work.look_up_state, range(size), worker_init=sharing_work.build_state
        )


# -- what each worker gathers


def counters_by_hand(start_method: str, documents: list[str], workers: int) -> Answer:
    """A Process for each worker, with every second document: a Pool has nothing that is done at a worker's end."""
    context: Any = multiprocessing.get_context(start_method)
    answers = context.SimpleQueue()
    processes = [
        context.Process(target=sharing_work.put_counter, args=(documents[number::workers], answers))
        for number in range(workers)
    ]
    for process in processes:
        process.start()
    merged = sharing_work.merged([answers.get() for _ in processes])
    for process in processes:
        process.join()
    return merged


def counters_mpire(start_method: str, documents: list[str], workers: int) -> Answer:
    from mpire import WorkerPool

    with WorkerPool(workers, start_method=start_method, use_worker_state=True) as pool:
        pool.map(
            sharing_work.count_state,
            documents,
            worker_init=sharing_work.begin_state,
            worker_exit=sharing_work.counted_state,
        )
        return sharing_work.merged(pool.get_exit_results())


# -- messages


def queue_by_hand(start_method: str, maxsize: int, size: int) -> Answer:
    """A producer that sends a sentinel at the end, and a consumer."""
    context: Any = multiprocessing.get_context(start_method)
    queue, answer = context.Queue(maxsize), context.SimpleQueue()
    producer = context.Process(target=sharing_work.put_all_and_sentinel, args=(queue, size))
    consumer = context.Process(target=sharing_work.add_up_until_sentinel, args=(queue, answer))
    for process in (producer, consumer):
        process.start()
    for process in (producer, consumer):
        process.join()
    return answer.get()  # type: ignore[no-any-return]
