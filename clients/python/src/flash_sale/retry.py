"""When a request is repeated. It knows no clock and no socket, so that both clients share it."""

import math
import random
from dataclasses import dataclass

import httpx

from .errors import ProblemError, UnknownOutcomeError, problem_of

# The first wait where no Retry-After is given; each later one is twice as long.
FIRST_WAIT_S = 0.2
REPEATED = (503, 504)


@dataclass(frozen=True)
class RetryLimits:
    """How often and how long a request is repeated."""

    # Requests in all, the first one among them.
    attempts: int = 4
    # The longest wait before a repeat. A longer Retry-After ends the retries.
    wait_s_max: float = 5.0
    # How long one request may take.
    timeout_s: float = 10.0


def wait_s(outcome: httpx.Response | httpx.TransportError, attempt: int, limits: RetryLimits) -> float | None:
    """The wait before the next request; None after a success.

    Raises what went wrong, if there is no next request."""
    failure: Exception = UnknownOutcomeError()
    wait: float = FIRST_WAIT_S * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)
    if isinstance(outcome, httpx.Response):
        if outcome.is_success:
            return None
        failure = ProblemError(problem_of(outcome))
        if outcome.status_code not in REPEATED:
            raise failure
        wait = max(wait, retry_after_s(outcome))
    if attempt >= limits.attempts or wait > limits.wait_s_max:
        raise failure from (outcome if isinstance(outcome, Exception) else None)
    return wait


def retry_after_s(response: httpx.Response) -> float:
    """The API sends seconds. A date, which a proxy may send, counts as none."""
    try:
        seconds = float(response.headers.get("retry-after", "0"))
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0
