/** A field that broke its rule. */
export interface FieldError {
    pointer: string;
    detail: string;
}

/** An error of the API (RFC 9457). */
export interface Problem {
    type: string;
    title: string;
    status: number;
    detail?: string;
    errors?: FieldError[];
    reservation?: string;
    opens_at_ms?: number;
    retry_after_ms?: number;
    trace_id?: string;
}

/** The API refused the request, or failed. */
export class ProblemError extends Error {
    /** The last part of the problem's type: `sold-out`. */
    readonly slug: string;

    constructor(readonly problem: Problem) {
        super(problem.detail ? `${problem.title}: ${problem.detail}` : problem.title);
        this.name = "ProblemError";
        this.slug = problem.type.slice(problem.type.lastIndexOf("/") + 1);
    }
}

/** No answer came, also after the retries: the request may have succeeded. */
export class UnknownOutcomeError extends Error {
    constructor(options: { cause: unknown }) {
        super("no answer came; the request may have succeeded: repeat it with the same idempotency key", options);
        this.name = "UnknownOutcomeError";
    }
}

/** What an answer that is no success says. A proxy's own page is no problem of the API, but has a status. */
export async function problemOf(response: Response): Promise<Problem> {
    const status = response.status;
    const other: Problem = { type: "about:blank", title: response.statusText || `status ${status}`, status };
    if (!response.headers.get("content-type")?.startsWith("application/problem+json")) return other;
    const body: unknown = await response.json().catch(() => undefined);
    const isProblem = typeof body === "object" && body !== null && "type" in body && typeof body.type === "string";
    return isProblem ? (body as Problem) : other;
}
