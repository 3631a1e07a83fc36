// Errors as the API tells them: RFC 9457 problems.

export interface FieldFault {
  /** JSON pointer to the field, in URI form: `#/scheduleCron`. */
  pointer: string;
  detail: string;
}

export interface ProblemFields {
  status: number;
  title: string;
  code: string;
  detail?: string | undefined;
  traceId?: string | undefined;
  errors?: FieldFault[];
  /** Members that only this kind of problem has. */
  members?: Record<string, unknown>;
}

export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly code: string;
  readonly detail: string | undefined;
  readonly traceId: string | undefined;
  readonly errors: FieldFault[];
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

/** Reads a problem from an answer's body; an answer that is none (a proxy's page, say) becomes one by its status. */
export function toProblem(response: Response, body: unknown): Problem {
  const given = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (key: string) => (typeof given[key] === "string" ? (given[key] as string) : undefined);
  return new Problem({
    status: response.status,
    title: text("title") ?? `The service answered ${response.status}`,
    code: text("code") ?? "unknown",
    detail: text("detail"),
    traceId: text("traceId"),
    errors: Array.isArray(given.errors) ? (given.errors as FieldFault[]) : [],
    members: given,
  });
}

/** Anything thrown, as a problem that can be shown. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new Problem({ status: 0, title: "The page has a fault", code: "page_fault", detail });
}

/** What the server says of single fields, by the field's name: `#/retryDelaysMs/1` marks `retryDelaysMs.1`. */
export function faultsByField(problem: Problem | null): Record<string, string> {
  const faults: Record<string, string> = {};
  for (const { pointer, detail } of problem?.errors ?? []) {
    const name = pointer.replace(/^#?\//, "").replaceAll("/", ".");
    faults[name] = faults[name] ? `${faults[name]} ${detail}` : detail;
  }
  return faults;
}
