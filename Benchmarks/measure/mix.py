"""Series that move like those of a host, the same as Mix of Tests/StoreWriter, as remote write.

A quarter constant, a quarter counters of whole numbers, an eighth counters of seconds, a quarter
gauges with two digits, an eighth memory in pages.
"""

from . import wire

# What Prometheus sends at most in one request by default is 2,000 (`max_samples_per_send`).
BATCH = 2000


class Mix:
    def __init__(self, count):
        self.values = [float(index * 4096) for index in range(count)]
        self.labels = [wire.labels(self.names(index)) for index in range(count)]
        self.state = 42
        self.snappy = wire.Snappy()

    @staticmethod
    def names(index):
        kind = index % 8
        metric = "mix_constant" if kind < 2 else "mix_total" if kind < 5 else "mix_gauge"
        return {
            "__name__": metric,
            "job": "node",
            "instance": f"host-{index // 500}",
            "item": str(index),
        }

    def random(self, bound):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        return (self.state >> 33) % bound

    def step(self):
        """The values of the next moment."""
        values, random = self.values, self.random
        for index, value in enumerate(values):
            kind = index % 8
            if kind < 2:
                continue
            if kind < 4:
                # Half of a host's counters stand still in any second.
                if random(2) == 0:
                    values[index] = value + random(200)
            elif kind == 4:
                values[index] = (round(value * 100) + random(100)) / 100
            elif kind < 7:
                values[index] = (round(value * 100) + random(41) - 20) / 100
            else:
                values[index] = value + (random(33) - 16) * 4096
        return values

    def bodies(self, milliseconds):
        """The next moment as request bodies of `BATCH` series, one sample each."""
        values = self.step()
        for first in range(0, len(values), BATCH):
            content = b"".join(
                wire.series(self.labels[index], wire.sample(values[index], milliseconds))
                for index in range(first, min(first + BATCH, len(values)))
            )
            yield self.snappy.compress(content)


def bodies(count, steps, interval, end):
    """`steps` moments, `interval` apart, up to `end` (milliseconds), as bodies in order of time."""
    mix = Mix(count)
    return [
        body
        for step in range(steps)
        for body in mix.bodies(end - (steps - 1 - step) * interval)
    ]
