"""What schemathesis needs besides the document (`scripts/test-api`)."""

import schemathesis

# Room for events that PostgreSQL does not have yet. A sale without any refuses after each event, by a
# 503 that is right; with room, no 503 is.
JOURNAL_EVENTS_MIN = 1_000
# On a machine that is busy with other things an answer may come late, and these say so as the document does.
LATE = ("/problems/outcome-unknown", "/problems/timed-out")


@schemathesis.hook
def before_call(context, case, **kwargs):
    if not isinstance(case.body, dict):
        return
    most = case.body.get("journal_events_max")
    if isinstance(most, int) and 1 <= most < JOURNAL_EVENTS_MIN:
        case.body["journal_events_max"] = JOURNAL_EVENTS_MIN


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether it is one."""
    is_late = response.status_code == 504 and response.json().get("type") in LATE
    return not is_late


@schemathesis.check
def problem_conformance(ctx, response, case):
    """A problem is one of those that the route's answer of this status names, by its examples."""
    media = response.headers.get("content-type", [""])[0]
    if media != "application/problem+json":
        return
    slug = response.json()["type"].rsplit("/", 1)[-1]
    answer = case.operation.definition.raw["responses"].get(str(response.status_code))
    if answer is None:
        # What any request may get, such as 405, is in the document once, and not at each route.
        return
    named = answer.get("content", {}).get(media, {}).get("examples", {})
    assert slug in named, f"the document does not name {slug} for {response.status_code} here: {sorted(named)}"
