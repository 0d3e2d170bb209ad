// One call of the operator's API. The console has no other way in: what it may do, its key may do.

import { Failure, type Problem } from "./failure";

const CALL_TIMEOUT_MS = 15_000;
const KEY_NAME = "flash.key";

/** The operator's API key. It lives as long as the tab does, and goes nowhere but into the Authorization header. */
export const key = {
  get: (): string => sessionStorage.getItem(KEY_NAME) ?? "",
  set: (value: string): void => {
    if (value === "") sessionStorage.removeItem(KEY_NAME);
    else sessionStorage.setItem(KEY_NAME, value);
    window.dispatchEvent(new Event("flash-key"));
  },
};

export interface Change {
  method: "POST" | "DELETE";
  body?: unknown;
  /** The same again, with the same key, is the same request. */
  idempotencyKey?: string;
}

/** What the API says, read as JSON; undefined where it says nothing. */
export async function call<T>(path: string, change?: Change, signal?: AbortSignal): Promise<T> {
  const response = await send(path, "application/json", change, signal);
  const text = await read(response, change !== undefined);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** The API's answer, unchanged. */
export async function text(path: string, signal?: AbortSignal): Promise<string> {
  return read(await send(path, "text/plain", undefined, signal), false);
}

async function send(path: string, accept: string, change?: Change, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { accept };
  if (key.get() !== "") headers["authorization"] = `Bearer ${key.get()}`;
  if (change?.body !== undefined) headers["content-type"] = "application/json";
  if (change?.idempotencyKey) headers["idempotency-key"] = change.idempotencyKey;
  const deadline = AbortSignal.timeout(CALL_TIMEOUT_MS);
  const init: RequestInit = {
    method: change?.method ?? "GET",
    headers,
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    cache: "no-store",
    credentials: "omit",
  };
  if (change?.body !== undefined) init.body = JSON.stringify(change.body);
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Failure(null, change !== undefined);
  }
  // Readiness is a 503 that is not a problem document.
  if (response.ok || (path.startsWith("/readyz") && response.status === 503)) return response;
  throw new Failure(await problem(response), change !== undefined);
}

async function read(response: Response, changes: boolean): Promise<string> {
  try {
    return await response.text();
  } catch {
    throw new Failure(null, changes);
  }
}

/** Something between here and the gateway may have answered: then there is only the status. */
async function problem(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Problem;
    if (typeof body.type === "string" && typeof body.title === "string") return body;
  } catch {
    // Below.
  }
  return { type: "about:blank", title: `The answer was ${response.status}`, status: response.status };
}
