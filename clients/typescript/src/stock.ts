import { problemOf, ProblemError } from "./problem.js";
import { sleep } from "./retry.js";

/** Units of a sale or a SKU. */
export interface Units {
    total: number;
    available: number;
    held: number;
    confirmed: number;
}

/** The stock of a sale at one event. */
export interface Stock extends Units {
    sale: string;
    epoch: number;
    seq: number;
    phase: string;
    skus: (Units & { sku: string })[];
}

/** The longest part of a stream that is no whole event yet. */
const EVENT_CHARS_MAX = 1 << 20;
/** The wait before the stream is opened again, where the gateway has named none. */
const RECONNECT_MS = 1_000;
const RECONNECT_MS_MAX = 30_000;

/** Yields the stock now and after each change. It opens the stream again, until the sale has ended. */
export async function* watch(url: string, signal?: AbortSignal): AsyncGenerator<Stock> {
    let retryMs = RECONNECT_MS;
    let failures = 0;
    for (;;) {
        try {
            const init: RequestInit = { headers: { accept: "text/event-stream" }, cache: "no-store" };
            const response = await fetch(url, signal ? { ...init, signal } : init);
            if (response.status === 204) return;
            if (!response.ok) {
                const error = new ProblemError(await problemOf(response));
                if (response.status < 500 && response.status !== 429) throw error;
            } else if (response.body) {
                for await (const event of events(response.body)) {
                    failures = 0;
                    if (event.retry !== undefined) retryMs = event.retry;
                    if (event.data !== undefined) yield JSON.parse(event.data) as Stock;
                }
            }
        } catch (error) {
            if (signal?.aborted || error instanceof ProblemError || error instanceof SyntaxError) throw error;
        }
        await sleep(Math.min(retryMs * 2 ** failures, RECONNECT_MS_MAX), signal);
        failures = Math.min(failures + 1, 10);
    }
}

interface StreamEvent {
    data?: string;
    retry?: number;
}

/** The events of a stream. */
async function* events(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let text = "";
    try {
        for (;;) {
            const { done, value } = await reader.read();
            if (done) return;
            text += decoder.decode(value, { stream: true });
            const parts = text.split("\n\n");
            text = parts.pop() ?? "";
            if (text.length > EVENT_CHARS_MAX) return;
            for (const part of parts) yield parse(part);
        }
    } finally {
        await reader.cancel().catch(() => undefined);
    }
}

function parse(part: string): StreamEvent {
    const event: StreamEvent = {};
    for (const line of part.split("\n")) {
        if (line.startsWith("data:")) {
            const before = event.data === undefined ? "" : `${event.data}\n`;
            event.data = before + line.slice(5).trimStart();
        }
        if (/^retry: ?[0-9]{1,9}$/.test(line)) event.retry = Number(line.slice(6));
    }
    return event;
}
