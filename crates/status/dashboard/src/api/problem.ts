// Errors of the API: problem details by RFC 9457.

export interface FieldError {
  /** JSON pointer (RFC 6901) in its URI form: `#/scheduleCron`. */
  pointer: string;
  detail: string;
}

export interface ProblemFields {
  status: number;
  title: string;
  code: string;
  detail?: string | undefined;
  traceId?: string | undefined;
  errors?: FieldError[];
  /** All members of the body, including those that only one kind of problem has. */
  members?: Record<string, unknown>;
}

export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly code: string;
  readonly detail: string | undefined;
  readonly traceId: string | undefined;
  readonly errors: FieldError[];
  readonly members: Record<string, unknown>;

  constructor(fields: ProblemFields) {
    super(fields.detail ?? fields.title);
    this.name = "Problem";
    this.status = fields.status;
    this.title = fields.title;
    this.code = fields.code;
    this.detail = fields.detail;
    this.traceId = fields.traceId;
    this.errors = fields.errors ?? [];
    this.members = fields.members ?? {};
  }
}

/** The problem in a response's body. A body that is no problem, such as a proxy's error page, gives one with the status alone. */
export function problemFromResponse(response: Response, body: unknown): Problem {
  const members = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (key: string) => (typeof members[key] === "string" ? (members[key] as string) : undefined);
  return new Problem({
    status: response.status,
    title: text("title") ?? `The service answered ${response.status}`,
    code: text("code") ?? "unknown",
    detail: text("detail"),
    traceId: text("traceId"),
    errors: Array.isArray(members.errors) ? (members.errors as FieldError[]) : [],
    members,
  });
}

/** Anything thrown, as a problem that the page can show. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new Problem({ status: 0, title: "Error in the dashboard", code: "page_fault", detail });
}

/** The server's messages by field name: `#/retryDelaysMs/1` becomes `retryDelaysMs.1`. */
export function errorsByField(problem: Problem | null): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const { pointer, detail } of problem?.errors ?? []) {
    const name = pointer.replace(/^#?\//, "").replaceAll("/", ".");
    errors[name] = errors[name] ? `${errors[name]} ${detail}` : detail;
  }
  return errors;
}
