// SPDX-License-Identifier: EUPL-1.2
export * from "./client";
export * from "./errors";
export * from "./live";
export type * from "./schema";
export type * from "./types";
