"""Takes something of the system away from every Python that starts with this folder on PYTHONPATH: see `WITHOUT`."""

import fcntl
import os
import select

WITHOUT = {
    "pidfd": (os, "pidfd_open"),
    "memfd": (os, "memfd_create"),
    "epoll": (select, "epoll"),
    "F_SETSIG": (fcntl, "F_SETSIG"),
    "F_SETPIPE_SZ": (fcntl, "F_SETPIPE_SZ"),
}

delattr(*WITHOUT[os.environ["MPRUN_TEST_WITHOUT"]])
