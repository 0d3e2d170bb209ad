"""What may go wrong."""

from typing import cast

import httpx

from .types import Problem


class ProblemError(Exception):
    """The API refused the request, or failed."""

    def __init__(self, problem: Problem) -> None:
        detail = problem.get("detail")
        super().__init__(f"{problem['title']}: {detail}" if detail else problem["title"])
        self.problem = problem

    @property
    def slug(self) -> str:
        """The last part of the problem's type: `sold-out`."""
        return self.problem["type"].rsplit("/", 1)[-1]


class UnknownOutcomeError(Exception):
    """No answer came, also after the retries: the request may have succeeded."""

    def __init__(self) -> None:
        super().__init__(
            "no answer came; the request may have succeeded: repeat it with the same idempotency key"
        )


def problem_of(response: httpx.Response) -> Problem:
    """What an answer that is no success says. A proxy's own page is no problem of the API, but has a status."""
    other = Problem(type="about:blank", title=response.reason_phrase, status=response.status_code)
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return other
    try:
        body = response.json()
    except ValueError:
        return other
    is_problem = isinstance(body, dict) and isinstance(body.get("type"), str) and isinstance(body.get("title"), str)
    return cast(Problem, body) if is_problem else other
