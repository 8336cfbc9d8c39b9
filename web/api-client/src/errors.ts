// SPDX-License-Identifier: EUPL-1.2

import type { FieldProblem, Organisation } from "./schema";
import type { Refusal } from "./types";

/** The server answered with a problem; `problem.title` and `.detail` are for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: Refusal;

  constructor(problem: Refusal) {
    super(problem.code);
    this.problem = problem;
  }

  get code(): string {
    return this.problem.code;
  }

  get status(): number {
    return this.problem.status;
  }

  get fields(): FieldProblem[] {
    return this.problem.fields ?? [];
  }

  get organisations(): Organisation[] {
    return this.problem.organisations ?? [];
  }
}

/** No answer came: no network, or the server is away. Nothing is known about the outcome. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/**
 * Turns whatever body came with a failed status into a problem. A proxy in
 * between may answer with a page of its own, so nothing is taken for granted.
 */
export function toProblem(status: number, body: unknown, headers?: { get: (name: string) => string | null }): Refusal {
  const wait = secondsOf(headers?.get("retry-after") ?? null);
  if (typeof body === "object" && body !== null && "code" in body && "title" in body) {
    const problem = { ...(body as Refusal), status };
    return wait === null ? problem : { ...problem, retry_after_s: problem.retry_after_s ?? wait };
  }
  const code = status === 413 ? "too_large" : status === 429 ? "too_many_tries" : status >= 500 ? "busy" : "internal";
  return { type: `/errors/${code}`, title: "", status, code, ...(wait === null ? {} : { retry_after_s: wait }) };
}

/** Retry-After in seconds (RFC 9110, section 10.2.3); the form with a date is not what our server sends. */
function secondsOf(value: string | null): number | null {
  return value !== null && /^\d{1,6}$/.test(value) ? Number(value) : null;
}
