"""How long a test waits. Seconds in a test are meant for a quiet machine; on a busy one they are multiplied by its measured load,
so that a failure is one of the product and not of the machine."""
import os

MOST = 8.0      # a program that gets less than an eighth of a processor is not worth waiting for
POSITIVE_S = 4  # shorter waits mostly expect that nothing comes: they must not take longer


def load():
    """Programs that want a processor, for each processor: the mean of the last minute."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def delay():
    """How many times longer this process took for its computations, because others had the processor (its priority counts)."""
    try:
        with open("/proc/self/schedstat", encoding="ascii") as f:
            ran, waited = (int(n) for n in f.read().split()[:2])
    except (OSError, ValueError):
        return 1.0
    return (ran + waited) / ran if ran else 1.0


def factor():
    return min(MOST, max(1.0, load(), delay()))


def patient(seconds):
    """The seconds that correspond to so many on a quiet machine."""
    return seconds * factor() if seconds else seconds


def for_answer(seconds):
    """The same for a wait that is also used to see that nothing comes."""
    return patient(seconds) if seconds and seconds >= POSITIVE_S else seconds
