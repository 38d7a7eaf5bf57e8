"""Figures of hours that need no memory: a histogram of times, a straight line through samples."""
import math

STEPS = 16  # buckets in each doubling: a percentile is at most 4.5 % above the truth


class Histogram:
    def __init__(self):
        self.buckets, self.n, self.most = {}, 0, 0.0

    def add(self, seconds):
        bucket = math.floor(math.log2(max(seconds, 1e-6)) * STEPS)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
        self.n += 1
        self.most = max(self.most, seconds)

    def percentile(self, part):
        """The upper edge of its bucket, at most the longest time; 0 without any time."""
        left = math.ceil(self.n * part)
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return min(2 ** ((bucket + 1) / STEPS), self.most)
        return self.most

    def summary(self):
        return {"n": self.n, "p50_ms": round(1000 * self.percentile(0.5), 2), "p99_ms": round(1000 * self.percentile(0.99), 2),
                "p999_ms": round(1000 * self.percentile(0.999), 2), "max_ms": round(1000 * self.most, 2)}


def slope(samples):
    """The slope of the line of least squares through (x, y); 0 with fewer than two different x."""
    n = len(samples)
    if n < 2:
        return 0.0
    mean_x, mean_y = sum(x for x, _ in samples) / n, sum(y for _, y in samples) / n
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0

