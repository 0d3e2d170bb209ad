import { problemOf, ProblemError, UnknownOutcomeError } from "./problem.js";

/** How often and how long a request is repeated. */
export interface RetryLimits {
    /** Requests in all, the first one among them. */
    attempts: number;
    /** The longest wait before a repeat, in milliseconds. A longer Retry-After ends the retries. */
    waitMsMax: number;
    /** How long one request may take, in milliseconds. */
    timeoutMs: number;
}

export const RETRY_LIMITS: RetryLimits = { attempts: 4, waitMsMax: 5_000, timeoutMs: 10_000 };
/** The first wait where no Retry-After is given; each later one is twice as long. */
const FIRST_WAIT_MS = 200;

/** Sends a request that may be repeated, until it has an answer other than 503 and 504. */
export async function send(url: string, init: RequestInit, limits: RetryLimits): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
        let failure: unknown;
        let waitMs = FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
        try {
            const response = await fetch(url, { ...init, signal: signalOf(init, limits.timeoutMs) });
            if (response.ok) return response;
            failure = new ProblemError(await problemOf(response));
            if (response.status !== 503 && response.status !== 504) throw failure;
            waitMs = Math.max(waitMs, retryAfterMs(response));
        } catch (error) {
            if (init.signal?.aborted || error instanceof ProblemError) throw error;
            failure = new UnknownOutcomeError({ cause: error });
        }
        if (attempt >= limits.attempts || waitMs > limits.waitMsMax) throw failure;
        await sleep(waitMs, init.signal);
    }
}

function signalOf(init: RequestInit, timeoutMs: number): AbortSignal {
    const timeout = AbortSignal.timeout(timeoutMs);
    if (!init.signal) return timeout;
    const controller = new AbortController();
    for (const signal of [timeout, init.signal]) {
        if (signal.aborted) controller.abort(signal.reason);
        signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
    }
    return controller.signal;
}

/** The API sends seconds. A date, which a proxy may send, counts as none. */
function retryAfterMs(response: Response): number {
    const seconds = Number(response.headers.get("retry-after") ?? 0);
    return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0;
}

/** Waits, and fails at once if the caller gives up. */
export function sleep(ms: number, signal?: AbortSignal | null): Promise<void> {
    return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const timer = setTimeout(() => (signal?.removeEventListener("abort", stop), resolve()), ms);
        const stop = () => (clearTimeout(timer), reject(signal?.reason));
        signal?.addEventListener("abort", stop, { once: true });
    });
}
