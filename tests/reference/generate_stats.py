"""Computes what src/stats.rs must give, with SciPy, statsmodels and NumPy. Writes stats.json beside itself.

    python3 -m venv /tmp/reference && /tmp/reference/bin/pip install scipy statsmodels numpy
    /tmp/reference/bin/python tests/reference/generate_stats.py

The interval of a median has no function there: it is searched rank by rank with scipy.stats.binom.
"""

import json
import pathlib
import platform

import numpy
import scipy
import scipy.stats
import statsmodels
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

numbers = numpy.random.default_rng(1)


def ranks(count, confidence):
    """The largest rank k, counted from 1, whose interval from either end is sure enough, and how sure it is."""
    best = None
    for k in range(1, count // 2 + 1):
        sure = 1 - 2 * scipy.stats.binom.cdf(k - 1, count, 0.5)
        if sure >= confidence:
            best = [count, confidence, k, sure]
    return best or [count, confidence, 0, max(0.0, 1 - 2 * scipy.stats.binom.cdf(0, count, 0.5))]


def least_count(share):
    count = 1
    while scipy.stats.binom.cdf(1, count, share) > 0.01:
        count += 1
    return count


wilson = [[c, n, level, *map(float, proportion_confint(c, n, alpha=1 - level, method="wilson"))]
          for c, n in [(0, 1), (1, 1), (0, 10), (1, 10), (5, 10), (10, 10), (353, 360), (360, 360), (17, 36),
                       (1, 100000), (99999, 100000), (4000000000, 4294967295)]
          for level in (0.5, 0.8, 0.95, 0.999)]
probabilities = [1e-300, 1e-20, 1e-9, 1e-4, 0.001, 0.025, 0.0749, 0.0751, 0.1, 0.3, 0.5, 0.6, 0.9, 0.9249, 0.9251, 0.975,
                 0.9995, 0.999999]
normal_quantile = [[p, float(scipy.stats.norm.ppf(p))] for p in probabilities]
pairs = [(0, 0), (1, 0), (0, 1), (1, 1), (5, 0), (0, 6), (3, 12), (12, 3), (7, 9), (50, 50), (40, 60), (0, 200), (3, 500),
         (1000, 1100), (100000, 101000), (2147483000, 2147583000)]
# statsmodels forms the table; beyond its reach the same binomial distribution is asked directly.
mcnemar_exact = [[b, c, float(mcnemar([[0, b], [c, 0]], exact=True).pvalue) if 0 < b + c < 10**6
                  else min(1.0, 2 * float(scipy.stats.binom.cdf(min(b, c), b + c, 0.5)))] for b, c in pairs]
samples = [[float(round(x, 6)) for x in numbers.lognormal(0, 1, n)] for n in (1, 2, 3, 10, 37)]
quantile = [[sample, p, float(numpy.quantile(sample, p))] for sample in samples for p in (0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)]
median_ranks = [ranks(n, level) for n in (1, 2, 5, 6, 7, 10, 25, 100, 333, 2000, 5000) for level in (0.5, 0.8, 0.95, 0.999)]

parts = {
    "made_with": {"python": platform.python_version(), "scipy": scipy.__version__, "statsmodels": statsmodels.__version__,
                  "numpy": numpy.__version__},
    "wilson": wilson,
    "normal_quantile": normal_quantile,
    "mcnemar_exact": mcnemar_exact,
    "quantile": quantile,
    "median_ranks": median_ranks,
    "least_counts": [[share, least_count(share)] for share in (0.1, 0.05, 0.01, 0.001)],
}
lines = []
for name, value in parts.items():
    if isinstance(value, list):
        text = "[\n    " + ",\n    ".join(json.dumps(json.loads(json.dumps(row, default=float))) for row in value) + "\n  ]"
    else:
        text = json.dumps(value)
    lines.append(f"  {json.dumps(name)}: {text}")
pathlib.Path(__file__).with_name("stats.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
