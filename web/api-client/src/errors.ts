// SPDX-License-Identifier: EUPL-1.2

import type { FieldProblem, Named, Problem } from "./types";

/** The server answered with a problem; `problem.title` and `.detail` are for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: Problem;

  constructor(problem: Problem) {
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

  get organisations(): Named[] {
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
export function toProblem(status: number, body: unknown): Problem {
  if (typeof body === "object" && body !== null && "code" in body && "title" in body) {
    return { ...(body as Problem), status };
  }
  const code = status === 413 ? "too_large" : status === 429 ? "too_many_tries" : status >= 500 ? "busy" : "internal";
  return { type: `/errors/${code}`, title: "", status, code };
}
