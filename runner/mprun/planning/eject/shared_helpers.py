"""The parts of a generated script for what plain multiprocessing has no words for: arrays of numpy in shared memory,
queues that end, and shared things that the tasks of a pool are given."""

SHARED_ARRAY = '''\
class SharedArray:
    """Memory that reaches a process, when that is started, as an array of numpy over it."""

    def __init__(self, *made_of):
        self._made_of = made_of

    def __reduce__(self):
        return numpy.ndarray, self._made_of


def shared_array(context, shape, dtype, content=None):
    """An array in memory that is gone with the last process: of zeros, or with that content."""
    size = math.prod(shape) * numpy.dtype(dtype).itemsize
    made_of = shape, dtype, context.RawArray("b", max(1, size))
    array = numpy.ndarray(*made_of)
    if content is not None:
        array[...] = content
    forks = context.get_start_method() == "fork"  # then a process is given the very object
    return array if forks else SharedArray(*made_of)'''

ARRAY_OF_FILE = '''\
def array_of_file(context, path):
    """An array in shared memory that holds at first what a .npy file does."""
    content = numpy.load(path, mmap_mode="r")
    return shared_array(context, content.shape, content.dtype, content)'''

MAPPED_FILE = '''\
class MappedFile:
    """A .npy file that reaches a process, when that is started, as the array that it is."""

    def __init__(self, *path_and_mode):
        self._path_and_mode = path_and_mode

    def __reduce__(self):
        return map_file, self._path_and_mode


def map_file(path, mode):
    """With "r" nobody can write to the array; with "c" what a process writes is its own."""
    return numpy.load(path, mmap_mode=mode).view(numpy.ndarray)


def mapped_file(context, path, mode):
    forks = context.get_start_method() == "fork"  # then a process is given the very object
    return map_file(path, mode) if forks else MappedFile(path, mode)'''

ENDING_QUEUE = '''\
class EndingQueue:
    """A queue that ends when all who have it wait for an object from it or have ended.

    A loop over it ends then, and `get` raises EOFError. `left` counts what could still bring an
    object: the processes that have the queue and don't wait, and the objects in it.
    """

    def __init__(self, queue, left):
        self._queue = queue
        self._left = left
        self._has_ended = False

    def put(self, obj, *how, **in_time):
        self._count(1)
        try:
            self._queue.put(obj, *how, **in_time)
        except BaseException:
            self._count(-1)
            raise

    def get(self, block=True, timeout=None):
        if block and timeout is None:
            self.leave()
            return self._unless_end(self._queue.get())  # which counts as this process from here on
        obj = self._unless_end(self._queue.get(block, timeout))
        self._count(-1)
        return obj

    def put_nowait(self, obj):
        self.put(obj, False)

    def get_nowait(self):
        return self.get(False)

    def __iter__(self):
        with contextlib.suppress(EOFError):
            while True:
                yield self.get()

    def leave(self):
        """This process brings no object, unless it is given one first."""
        if not self._has_ended and self._count(-1) == 0:
            self._put_end()

    def _count(self, change):
        with self._left.get_lock():
            self._left.value += change
            return self._left.value

    def _unless_end(self, obj):
        if obj is EndingQueue:  # which stands for the end
            self._has_ended = True
            self._put_end()  # for the others
            raise EOFError("nobody is left who could put anything into this queue")
        return obj

    def _put_end(self):
        self._queue.put(EndingQueue)
        if hasattr(self._queue, "task_done"):
            self._queue.task_done()

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._queue, name)'''

CALL_AND_LEAVE = '''\
def call_and_leave(queues, function, /, *args, **kwargs):
    """Call `function`; when it has ended, this process puts nothing more into `queues`."""
    try:
        return function(*args, **kwargs)
    finally:
        for queue in queues:
            queue.leave()'''

KEEP_FUNCTION = '''\
def keep_function(function, initializer=None, /, *initargs):
    """In a new worker: keep what its tasks call. What is shared can reach a process only now."""
    global kept_function
    kept_function = function
    if initializer is not None:
        initializer(*initargs)


def call_kept_function(*args, **kwargs):
    return kept_function(*args, **kwargs)'''

SHARED_HELPER_NAMES = frozenset({"SharedArray", "MappedFile", "map_file", "kept_function", "call_kept_function"})
"""What these define beside what they are called for."""
