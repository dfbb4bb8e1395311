"""What heavy computing asks of the memory of its process."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def sans_ramassage() -> Iterator[None]:
    """Python looks for cycles no more until the end of the block: among hundreds of thousands of rows kept until
    then, it would only count them again and again, a fourth of the time. References alone free what is let go."""
    actif = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if actif:
            gc.enable()
