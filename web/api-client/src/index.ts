// SPDX-License-Identifier: EUPL-1.2
export * from "./client";
export * from "./errors";
export * from "./live";
export type { ConversationPatch, ConversationQuery, InvitationAccept, MePatch, UserPatch } from "./paths";
export type * from "./types";
