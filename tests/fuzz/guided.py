"""One target under atheris (libFuzzer): inputs that reach new code are kept and changed further.

``python -m tests.fuzz.guided TARGET SECONDS SEED``. Whatever a target raises against its word ends
the run, and so does an input that takes a second or makes memory grow beyond the limit.
"""

import importlib
import sys
import tempfile

# Not everywhere, and without types.
atheris = importlib.import_module("atheris")

with atheris.instrument_imports(include=["adyton"]):
    from tests.fuzz.engine import Tally, check
    from tests.fuzz.targets import CORPUS, TARGETS

name, seconds, seed = sys.argv[1:]
target = TARGETS[name]
tally = Tally()


def one(data: bytes) -> None:
    """Check one input, with the limits that hold for all."""
    check(target, data, tally)


with tempfile.TemporaryDirectory() as found:
    # What is found goes to a folder of its own: the corpus is only read.
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            f"-artifact_prefix={found}/",
            "-max_len=16384",
            "-timeout=5",
            "-verbosity=1",
            found,
            str(CORPUS / name),
        ],
        one,
    )
    atheris.Fuzz()
