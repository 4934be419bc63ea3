"""A log of which any one bit was changed, or any end cut off: every way is tried."""

from __future__ import annotations

from pathlib import Path

from unit.test_verify import INCOMPLETE, LINES, LOG, alone, run, told  # noqa: F401 -- a fixture

from mprun.errors.exceptions import UsageError
from mprun.log.verifying.verify import verify
from mprun.runs.find import RunFiles


def test_each_bit_flipped() -> None:
    """Without any help from outside the log."""
    assert alone(LOG) == "VERIFIED"
    log = bytearray(LOG)
    for place in range(len(log)):
        for bit in range(8):
            log[place] ^= 1 << bit
            try:
                word = alone(bytes(log))
            except UsageError:  # of the format's number: that it is a newer one is all there is to say
                word = "refused"
            log[place] ^= 1 << bit
            # Where the end is no longer known as the end, it may as well be missing.
            assert word in ("TAMPERED", "refused") or (word == "INCOMPLETE" and place >= len(LOG) - len(LINES[-1]) - 1)


def test_cut_at_each_byte(run: RunFiles) -> None:  # noqa: F811
    """Nothing tells a cut log from one whose writer was killed, but for its head."""
    for size in range(len(LOG)):
        assert alone(LOG[:size]) == "INCOMPLETE"
    for size in (0, 1, len(LOG) // 2, len(LOG) - len(LINES[-1]), len(LOG) - 1):
        Path(run.log).write_bytes(LOG[:size])
        verdict = verify(run)
        assert verdict.word == "TAMPERED"
        assert f"the log's end is cut off: it had {len(LOG):,} bytes, and has {size:,}" in told(verdict)
