// SPDX-License-Identifier: EUPL-1.2
//! The contract as openapi-fetch wants it: one entry per path and method.
//! Only `client.ts` imports this file.

import type * as T from "./types";

interface Params {
  query?: object;
  path?: object;
}

type Op<P extends Params, Body, Ok> = {
  parameters: { header?: { "Idempotency-Key"?: string } } & P;
  responses: {
    200: { headers: object; content: { "application/json": Ok } };
    default: { headers: object; content: { "application/problem+json": T.Problem } };
  };
} & ([Body] extends [never]
  ? { requestBody?: never }
  : { requestBody: { content: { "application/json": Body } } });

type None = Record<never, never>;
type ById = { path: { id: T.Uuid } };
type Get<Ok, P extends Params = None> = { get: Op<P, never, Ok> };
type Post<Body, Ok, P extends Params = None> = { post: Op<P, Body, Ok> };
type Patch<Body, Ok, P extends Params = ById> = { patch: Op<P, Body, Ok> };
type Delete<P extends Params = ById> = { delete: Op<P, never, undefined> };

export interface paths {
  "/api/v1/session": Get<T.Session> &
    Post<{ email: string; password: string; organisation_id?: T.Uuid }, T.Session> &
    Delete<None>;
  "/api/v1/sessions": Get<T.Items<T.SessionRow>>;
  "/api/v1/sessions/{id}": Delete;
  "/api/v1/me": Patch<Partial<MePatch>, T.User, None>;
  "/api/v1/me/password": Post<{ current: string; new: string }, undefined>;
  "/api/v1/users": Get<T.Items<T.UserRef | T.User>>;
  "/api/v1/users/{id}": Patch<UserPatch, T.User>;
  "/api/v1/invitations": Get<T.Items<T.Invitation>> &
    Post<{ role: T.Role; privacy_officer?: boolean }, T.InvitationCreated>;
  "/api/v1/invitations/{id}": Delete;
  "/api/v1/invitations/look": Post<{ token: string }, T.InvitationLook>;
  "/api/v1/invitations/accept": Post<InvitationAccept, T.Session>;
  "/api/v1/api-keys": Get<T.Items<T.ApiKey>> &
    Post<{ name: string; scope: "read" | "write"; expires_at: T.Time }, T.ApiKeyCreated>;
  "/api/v1/api-keys/{id}": Delete;
  "/api/v1/conversations": Get<T.Page<T.ConversationRow>, { query?: ConversationQuery }>;
  "/api/v1/conversations/counts": Get<T.ConversationCounts>;
  "/api/v1/conversations/{id}": Get<T.Conversation, ById> &
    Patch<ConversationPatch, T.ConversationRow>;
  "/api/v1/conversations/{id}/seen": Post<never, undefined, ById>;
  "/api/v1/conversations/{id}/messages": Get<
    T.Page<T.Message>,
    ById & { query?: { before?: string; limit?: number } }
  > &
    Post<T.NewMessage, T.Message, ById>;
  "/api/v1/conversations/{id}/activity": Get<T.Items<T.Activity>, ById>;
  "/api/v1/messages/{id}/retry": Post<{ delivery_ids?: T.Uuid[] }, T.Message, ById>;
  "/api/v1/contacts/{id}": Get<T.Contact, ById> & Patch<{ name: string }, T.Contact>;
  "/api/v1/search": Post<{ q: string; limit?: number; cursor?: string }, T.SearchAnswer>;
  "/api/v1/search/suggest": Post<{ prefix: string }, T.Suggestions>;
  "/api/v1/queues": Get<T.Items<T.Named>>;
  "/api/v1/channel-accounts": Get<T.Items<T.ChannelAccount>> &
    Post<T.NewChannelAccount, T.ChannelAccount>;
  "/api/v1/channel-accounts/{id}": Get<T.ChannelAccount, ById> &
    Patch<T.ChannelAccountPatch, T.ChannelAccount> &
    Delete;
  "/api/v1/channel-accounts/test": Post<T.ChannelAccountTest, { steps: T.TestStep[] }>;
  "/api/v1/channel-accounts/{id}/accounting": Get<T.Accounting, ById>;
  "/api/v1/quarantine": Get<
    T.Page<T.Quarantined>,
    { query?: { account?: T.Uuid; cursor?: string } }
  >;
  "/api/v1/quarantine/{id}/retry": Post<never, { id: T.Uuid; state: string }, ById>;
  "/api/v1/dead-letters": Get<T.Items<T.DeadLetter>>;
  "/api/v1/dead-letters/{id}/retry": Post<never, undefined, ById>;
  "/api/v1/ledger": Get<T.LedgerPage, { query?: { before?: number; limit?: number } }>;
}

export interface MePatch {
  name: string;
  language: T.Language;
  colour_scheme: T.ColourScheme;
  single_key_shortcuts: boolean;
}

export interface UserPatch {
  role?: T.Role;
  state?: "active" | "blocked";
  privacy_officer?: boolean;
}

export interface InvitationAccept {
  token: string;
  name: string;
  email: string;
  password: string;
  language: T.Language;
}

export interface ConversationQuery {
  status?: T.ConversationStatus | "all";
  assignee?: string;
  queue?: T.Uuid;
  cursor?: string;
  limit?: number;
}

export interface ConversationPatch {
  status?: T.ConversationStatus;
  assignee_id?: T.Uuid | null;
  queue_id?: T.Uuid;
  version?: number;
}
