"""Learns and judges what the service serves."""

import os

# Before anything imports shap: numba would translate a few of its short loops anew in every process, some nine seconds
# each, which is longer than they run for, and gives the same numbers to the bit.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
