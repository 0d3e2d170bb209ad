// What can go wrong with a call, told apart as far as the operator must tell it apart.

/** What the API answers instead of what was asked for (RFC 9457). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  trace_id?: string;
  errors?: { pointer: string; detail: string }[];
}

export class Failure extends Error {
  /** Null: no answer came. Then the outcome of a change is unknown. */
  readonly problem: Problem | null;
  /** Whether the call may have changed something. */
  readonly changes: boolean;

  constructor(problem: Problem | null, changes: boolean) {
    super(problem?.detail ?? problem?.title ?? "no answer came");
    this.problem = problem;
    this.changes = changes;
  }

  is(slug: string): boolean {
    return this.problem?.type.split("/").pop() === slug;
  }

  /** The listener has no such route: an older gateway, or one for buyers. */
  get isAbsent(): boolean {
    return this.is("not-found") || this.is("method-not-allowed");
  }

  /** A key is needed, or a better one. */
  get isLocked(): boolean {
    return this.problem?.status === 401 || this.problem?.status === 403;
  }

  /** Something between here and the gateway gave up: it does not know what the gateway did. */
  private get isOfProxy(): boolean {
    return this.problem !== null && this.problem.type === "about:blank" && this.problem.status >= 500;
  }

  /** The outcome is unknown: the same request again, with the same Idempotency-Key, is safe. */
  get isUnknown(): boolean {
    return this.changes && (this.problem === null || this.is("outcome-unknown") || this.isOfProxy);
  }

  /** Asking again may help without anybody's doing. */
  get passes(): boolean {
    return this.problem === null || this.problem.status >= 500 || this.problem.status === 429;
  }

  /** What a field of the form that was sent broke, by the last part of its pointer. */
  fields(): Map<string, string> {
    const errors = this.problem?.errors ?? [];
    return new Map(errors.map(({ pointer, detail }) => [pointer.split("/")[1] ?? "", detail]));
  }
}
