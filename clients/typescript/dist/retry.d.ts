/** How often and how long a request is repeated. */
export interface RetryLimits {
    /** Requests in all, the first one among them. */
    attempts: number;
    /** The longest wait before a repeat, in milliseconds. A longer Retry-After ends the retries. */
    waitMsMax: number;
    /** How long one request may take, in milliseconds. */
    timeoutMs: number;
}
export declare const RETRY_LIMITS: RetryLimits;
/** Sends a request that may be repeated, until it has an answer other than 503 and 504. */
export declare function send(url: string, init: RequestInit, limits: RetryLimits): Promise<Response>;
/** Waits, and fails at once if the caller gives up. */
export declare function sleep(ms: number, signal?: AbortSignal | null): Promise<void>;
