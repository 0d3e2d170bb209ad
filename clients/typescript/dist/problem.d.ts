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
export declare class ProblemError extends Error {
    readonly problem: Problem;
    /** The last part of the problem's type: `sold-out`. */
    readonly slug: string;
    constructor(problem: Problem);
}
/** No answer came, also after the retries: the request may have succeeded. */
export declare class UnknownOutcomeError extends Error {
    constructor(options: {
        cause: unknown;
    });
}
/** What an answer that is no success says. A proxy's own page is no problem of the API, but has a status. */
export declare function problemOf(response: Response): Promise<Problem>;
