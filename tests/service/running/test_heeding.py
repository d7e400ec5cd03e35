"""A stop is heeded though the main thread waits without a limit, whichever thread the kernel would have chosen."""

import os
import signal
import subprocess
import sys

import pytest

WITH_A_HANDLER = """
import signal, sys, threading
from service.running.heeding import heed
stopped = threading.Event()
heed(signal.SIGTERM, signal.SIGHUP)
threading.Thread(target=threading.Event().wait, daemon=True).start()
def handler(signum, frame):
    print(signal.Signals(signum).name, threading.current_thread().name, flush=True)
    if signum == signal.SIGTERM:
        stopped.set()
signal.signal(signal.SIGTERM, handler)
signal.signal(signal.SIGHUP, handler)
print("waits", flush=True)
stopped.wait()
"""
WITHOUT = """
import signal, threading
from service.running.heeding import heed
heed(signal.SIGTERM)
print("waits", flush=True)
threading.Event().wait()
"""


def waiting(script):
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "waits\n"
    return process


def rest(process):
    """What it still says until it ends. Not by `communicate`, which misses what came together with the first line."""
    with process:
        return process.stdout.read()


@pytest.mark.parametrize("times", [1, 5])
def test_handlers_are_called_by_the_thread_that_waits_for_signals(times):
    process = waiting(WITH_A_HANDLER)
    for _ in range(times):
        os.kill(process.pid, signal.SIGHUP)
        assert process.stdout.readline() == "SIGHUP signals\n"
    os.kill(process.pid, signal.SIGTERM)
    assert rest(process) == "SIGTERM signals\n"
    assert process.returncode == 0


def test_where_there_is_no_handler_yet_the_process_ends():
    process = waiting(WITHOUT)
    os.kill(process.pid, signal.SIGTERM)
    assert rest(process) == ""
    assert process.returncode == 128 + signal.SIGTERM


def test_a_handler_put_in_place_before_is_not_called_in_the_main_thread():
    """Held back there: it would be called twice otherwise, once by each."""
    script = WITH_A_HANDLER.replace("signal, sys, threading", "os, signal, sys, threading").replace(
        "stopped.wait()", "os.kill(os.getpid(), signal.SIGTERM)\nstopped.wait()"
    )
    process = waiting(script)
    assert rest(process) == "SIGTERM signals\n"
