/** The API refused the request, or failed. */
export class ProblemError extends Error {
    problem;
    /** The last part of the problem's type: `sold-out`. */
    slug;
    constructor(problem) {
        super(problem.detail ? `${problem.title}: ${problem.detail}` : problem.title);
        this.problem = problem;
        this.name = "ProblemError";
        this.slug = problem.type.slice(problem.type.lastIndexOf("/") + 1);
    }
}
/** No answer came, also after the retries: the request may have succeeded. */
export class UnknownOutcomeError extends Error {
    constructor(options) {
        super("no answer came; the request may have succeeded: repeat it with the same idempotency key", options);
        this.name = "UnknownOutcomeError";
    }
}
/** What an answer that is no success says. A proxy's own page is no problem of the API, but has a status. */
export async function problemOf(response) {
    const status = response.status;
    const other = { type: "about:blank", title: response.statusText || `status ${status}`, status };
    if (!response.headers.get("content-type")?.startsWith("application/problem+json"))
        return other;
    const body = await response.json().catch(() => undefined);
    const isProblem = typeof body === "object" && body !== null && "type" in body && typeof body.type === "string";
    return isProblem ? body : other;
}
