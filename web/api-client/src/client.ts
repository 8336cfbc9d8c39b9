// SPDX-License-Identifier: EUPL-1.2
//! One function per operation of the contract. Every function throws
//! `ApiError` when the server refuses and `NoAnswer` when none came.

import createClient from "openapi-fetch";
import { ApiError, NoAnswer, toProblem } from "./errors";
import type * as T from "./schema";
import type { ConversationQuery, Uuid } from "./types";

const BASE = "/api/v1";

/** So long an answer may take, in milliseconds. Testing a connection waits for somebody else's server. */
const READ_MS = 30_000;
const WRITE_MS = 90_000;

interface Answer<D> {
  data?: D;
  error?: unknown;
  response: Response;
}

export interface ApiOptions {
  /** Language for errors while nobody is signed in; BCP 47. */
  language: () => string;
  /** New idempotency keys; a caller that retries passes its own. */
  newKey: () => string;
  fetch?: (request: Request) => Promise<Response>;
  baseUrl?: string;
}

export interface Upload {
  promise: Promise<T.Attachment>;
  cancel: () => void;
}

export type Api = ReturnType<typeof createApi>;

export function createApi(options: ApiOptions) {
  const client = createClient<T.paths>({
    baseUrl: options.baseUrl ?? "",
    credentials: "same-origin",
    ...(options.fetch ? { fetch: options.fetch } : {}),
  });
  // A server that never answers is as good as none: whoever waits is told, and can try again.
  const patient = (signal: AbortSignal | null | undefined, ms: number) =>
    signal ? AbortSignal.any([signal, AbortSignal.timeout(ms)]) : AbortSignal.timeout(ms);
  client.use({
    onRequest({ request }) {
      request.headers.set("Accept-Language", options.language());
      if (request.method !== "GET") request.headers.set("X-Belofte", "1");
      if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
        request.headers.set("Idempotency-Key", options.newKey());
      }
      return new Request(request, {
        signal: patient(request.signal, request.method === "GET" ? READ_MS : WRITE_MS),
        // Who resolves a conversation and closes the window has resolved it. (Bodies of these two are far below the 64 KiB
        // that may be under way like this; those of POST need not be.)
        keepalive: request.method === "PATCH" || request.method === "DELETE",
      });
    },
  });

  /** What comes, or that nothing came. */
  async function reached<D>(call: Promise<D>): Promise<D> {
    try {
      return await call;
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
      throw new NoAnswer("no answer", { cause });
    }
  }

  async function take<D>(call: Promise<Answer<D>>): Promise<D> {
    const answer = await reached(call);
    const { ok, status, headers } = answer.response;
    if (!ok) throw new ApiError(toProblem(status, answer.error, headers));
    return answer.data as D;
  }

  const id = (value: Uuid) => ({ path: { id: value } });
  const keyed = (key?: string) => (key ? { header: { "Idempotency-Key": key } } : {});

  return {
    session: {
      get: (signal?: AbortSignal) => take(client.GET("/api/v1/session", { signal: signal ?? null })),
      /** A session, or the step that follows the password. */
      create: (body: T.SignIn): Promise<T.Session | T.SignInStep> =>
        take(client.POST("/api/v1/session", { body })),
      code: (step: string, code: string) => take(client.POST("/api/v1/session/code", { body: { step, code } })),
      beginSecondFactor: (step: string) => take(client.POST("/api/v1/session/second-factor", { body: { step } })),
      confirmSecondFactor: (step: string, code: string) =>
        take(client.POST("/api/v1/session/second-factor/confirm", { body: { step, code } })),
      end: () => take(client.DELETE("/api/v1/session")),
    },
    sessions: {
      list: () => take(client.GET("/api/v1/sessions")),
      end: (session: Uuid) => take(client.DELETE("/api/v1/sessions/{id}", { params: id(session) })),
    },
    me: {
      change: (body: T.UpdateMe) => take(client.PATCH("/api/v1/me", { body })),
      password: (current: string, next: string) =>
        take(client.POST("/api/v1/me/password", { body: { current, new: next } })),
    },
    secondFactor: {
      get: () => take(client.GET("/api/v1/me/second-factor")),
      begin: () => take(client.POST("/api/v1/me/second-factor")),
      confirm: (body: T.PasswordAndCode) => take(client.POST("/api/v1/me/second-factor/confirm", { body })),
      renew: (body: T.PasswordAndCode) => take(client.POST("/api/v1/me/second-factor/recovery-codes", { body })),
      remove: (body: T.PasswordAndCode) => take(client.POST("/api/v1/me/second-factor/remove", { body })),
      resetSeen: () => take(client.POST("/api/v1/me/second-factor/reset-seen")),
      rule: () => take(client.GET("/api/v1/second-factor-rule")),
      setRule: (body: T.UpdateSecondFactorRule) => take(client.PATCH("/api/v1/second-factor-rule", { body })),
      reset: (user: Uuid) => take(client.DELETE("/api/v1/users/{id}/second-factor", { params: id(user) })),
    },
    push: {
      get: () => take(client.GET("/api/v1/push")),
      allow: (allowed: boolean) => take(client.PATCH("/api/v1/push", { body: { allowed } })),
      add: (endpoint: string) => take(client.POST("/api/v1/push/devices", { body: { endpoint } })),
      remove: (device: Uuid) => take(client.DELETE("/api/v1/push/devices/{id}", { params: id(device) })),
      test: (device: Uuid) => take(client.POST("/api/v1/push/devices/{id}/test", { params: id(device) })),
    },
    users: {
      list: () => take(client.GET("/api/v1/users")),
      change: (user: Uuid, body: T.UpdateUser) =>
        take(client.PATCH("/api/v1/users/{id}", { params: id(user), body })),
    },
    invitations: {
      list: () => take(client.GET("/api/v1/invitations")),
      create: (body: T.CreateInvitation) =>
        take(client.POST("/api/v1/invitations", { body })),
      withdraw: (invitation: Uuid) =>
        take(client.DELETE("/api/v1/invitations/{id}", { params: id(invitation) })),
      look: (token: string) => take(client.POST("/api/v1/invitations/look", { body: { token } })),
      accept: (body: T.AcceptInvitation): Promise<T.Session | T.SignInStep> =>
        take(client.POST("/api/v1/invitations/accept", { body })),
    },
    apiKeys: {
      list: () => take(client.GET("/api/v1/api-keys")),
      create: (body: T.CreateApiKey) =>
        take(client.POST("/api/v1/api-keys", { body })),
      withdraw: (key: Uuid) => take(client.DELETE("/api/v1/api-keys/{id}", { params: id(key) })),
    },
    signingKeys: {
      list: () => take(client.GET("/api/v1/signing-keys")),
      create: (body: T.CreateSigningKey) => take(client.POST("/api/v1/signing-keys", { body })),
      check: (key: Uuid) => take(client.POST("/api/v1/signing-keys/{id}/check", { params: id(key) })),
      withdraw: (key: Uuid) => take(client.DELETE("/api/v1/signing-keys/{id}", { params: id(key) })),
    },
    senders: { list: () => take(client.GET("/api/v1/senders")) },
    conversations: {
      list: (query: ConversationQuery, signal?: AbortSignal) =>
        take(client.GET("/api/v1/conversations", { params: { query }, signal: signal ?? null })),
      counts: (signal?: AbortSignal) =>
        take(client.GET("/api/v1/conversations/counts", { signal: signal ?? null })),
      get: (conversation: Uuid, signal?: AbortSignal) =>
        take(
          client.GET("/api/v1/conversations/{id}", { params: id(conversation), signal: signal ?? null }),
        ),
      change: (conversation: Uuid, body: T.UpdateConversation) =>
        take(client.PATCH("/api/v1/conversations/{id}", { params: id(conversation), body })),
      bulk: (items: T.UpdateOne[]) => take(client.POST("/api/v1/conversations/bulk", { body: { items } })),
      numbered: (no: number, signal?: AbortSignal) =>
        take(client.GET("/api/v1/conversations/numbered", { params: { query: { no } }, signal: signal ?? null })),
      related: (conversation: Uuid, signal?: AbortSignal) =>
        take(client.GET("/api/v1/conversations/{id}/related", { params: id(conversation), signal: signal ?? null })),
      merge: (conversation: Uuid, body: T.MergeConversations) =>
        take(client.POST("/api/v1/conversations/{id}/merge", { params: id(conversation), body })),
      unmerge: (conversation: Uuid, body: T.UnmergeConversations) =>
        take(client.POST("/api/v1/conversations/{id}/unmerge", { params: id(conversation), body })),
      split: (conversation: Uuid, body: T.SplitConversation) =>
        take(client.POST("/api/v1/conversations/{id}/split", { params: id(conversation), body })),
      unsplit: (conversation: Uuid) =>
        take(client.POST("/api/v1/conversations/{id}/unsplit", { params: id(conversation) })),
      link: (conversation: Uuid, other: Uuid, linked: boolean) =>
        take(client.POST("/api/v1/conversations/{id}/links", { params: id(conversation), body: { conversation_id: other, linked } })),
      mentionable: (conversation: Uuid) =>
        take(client.GET("/api/v1/conversations/{id}/mentionable", { params: id(conversation) })),
      applyMacro: (conversation: Uuid, body: T.UseMacro) =>
        take(client.POST("/api/v1/conversations/{id}/macro", { params: id(conversation), body })),
      seen: (conversation: Uuid) =>
        take(client.POST("/api/v1/conversations/{id}/seen", { params: id(conversation) })),
      messages: (conversation: Uuid, before?: string, signal?: AbortSignal) =>
        take(
          client.GET("/api/v1/conversations/{id}/messages", {
            params: { ...id(conversation), query: before ? { before, limit: 50 } : { limit: 50 } },
            signal: signal ?? null,
          }),
        ),
      activity: (conversation: Uuid, signal?: AbortSignal) =>
        take(
          client.GET("/api/v1/conversations/{id}/activity", {
            params: id(conversation),
            signal: signal ?? null,
          }),
        ),
      create: (body: T.CreateConversation, key: string) =>
        take(client.POST("/api/v1/conversations", { params: keyed(key), body })),
      send: (conversation: Uuid, body: T.CreateMessage, key: string) =>
        take(
          client.POST("/api/v1/conversations/{id}/messages", {
            params: { ...id(conversation), ...keyed(key) },
            body,
          }),
        ),
    },
    notifications: {
      list: (signal?: AbortSignal) => take(client.GET("/api/v1/notifications", { signal: signal ?? null })),
      mark: (body: T.MarkNotifications) => take(client.PATCH("/api/v1/notifications", { body })),
      ways: () => take(client.GET("/api/v1/me/notifications")),
      choose: (items: T.NotificationPreference[]) => take(client.PATCH("/api/v1/me/notifications", { body: { items } })),
    },
    drafts: {
      list: () => take(client.GET("/api/v1/drafts")),
      of: (conversation: Uuid) => take(client.GET("/api/v1/conversations/{id}/drafts", { params: id(conversation) })),
      mail: () => take(client.GET("/api/v1/drafts/mail")),
      /** `leaving` lets the request outlive the page. */
      save: (conversation: Uuid, body: T.SaveDraft, leaving = false) =>
        take(client.PATCH("/api/v1/conversations/{id}/drafts", { params: id(conversation), body, keepalive: leaving })),
      saveMail: (body: T.SaveMailDraft, leaving = false) =>
        take(client.PATCH("/api/v1/drafts/mail", { body, keepalive: leaving })),
    },
    tags: {
      list: () => take(client.GET("/api/v1/tags")),
      create: (body: T.CreateTag) => take(client.POST("/api/v1/tags", { body })),
      change: (tag: Uuid, body: T.UpdateTag) => take(client.PATCH("/api/v1/tags/{id}", { params: id(tag), body })),
      merge: (tag: Uuid, into: Uuid) =>
        take(client.POST("/api/v1/tags/{id}/merge", { params: id(tag), body: { into_id: into } })),
    },
    savedViews: {
      list: () => take(client.GET("/api/v1/saved-views")),
      create: (body: T.SaveView) => take(client.POST("/api/v1/saved-views", { body })),
      change: (view: Uuid, body: T.SaveView) =>
        take(client.PATCH("/api/v1/saved-views/{id}", { params: id(view), body })),
      remove: (view: Uuid) => take(client.DELETE("/api/v1/saved-views/{id}", { params: id(view) })),
    },
    macros: {
      list: () => take(client.GET("/api/v1/macros")),
      get: (macro: Uuid) => take(client.GET("/api/v1/macros/{id}", { params: id(macro) })),
      create: (body: T.SaveMacro) => take(client.POST("/api/v1/macros", { body })),
      change: (macro: Uuid, body: T.SaveMacro) =>
        take(client.PATCH("/api/v1/macros/{id}", { params: id(macro), body })),
      remove: (macro: Uuid) => take(client.DELETE("/api/v1/macros/{id}", { params: id(macro) })),
    },
    messages: {
      retry: (message: Uuid, deliveries?: Uuid[]) =>
        take(
          client.POST("/api/v1/messages/{id}/retry", {
            params: id(message),
            body: deliveries ? { delivery_ids: deliveries } : {},
          }),
        ),
      undo: (message: Uuid) => take(client.POST("/api/v1/messages/{id}/undo", { params: id(message) })),
      sourceUrl: (message: Uuid) => `${BASE}/messages/${message}/source`,
      source: async (message: Uuid, signal?: AbortSignal): Promise<string> => {
        const response = await fetch(`${BASE}/messages/${message}/source`, {
          credentials: "same-origin",
          signal: signal ?? null,
        });
        if (!response.ok) throw new ApiError(toProblem(response.status, null));
        // Each octet as a character of its own: a mail need not be text.
        return new TextDecoder("windows-1252").decode(await response.arrayBuffer());
      },
      emlUrl: (message: Uuid) => `${BASE}/messages/${message}/eml`,
      images: (message: Uuid, signal?: AbortSignal) =>
        take(client.POST("/api/v1/messages/{id}/remote-images", { params: id(message), signal: signal ?? null })),
    },
    attachments: {
      url: (attachment: Uuid) => `${BASE}/attachments/${attachment}`,
      bytes: async (attachment: Uuid, signal?: AbortSignal): Promise<Blob> => {
        const response = await fetch(`${BASE}/attachments/${attachment}`, {
          credentials: "same-origin",
          signal: signal ?? null,
        });
        if (!response.ok) throw new ApiError(toProblem(response.status, null));
        return response.blob();
      },
      upload: (file: File, progress: (fraction: number) => void): Upload =>
        upload(file, progress, options),
    },
    contacts: {
      get: (contact: Uuid, signal?: AbortSignal) =>
        take(client.GET("/api/v1/contacts/{id}", { params: id(contact), signal: signal ?? null })),
      create: (body: T.CreateContact, key: string) =>
        take(client.POST("/api/v1/contacts", { params: keyed(key), body })),
      find: (body: T.FindContacts, signal?: AbortSignal) =>
        take(client.POST("/api/v1/contacts/search", { body, signal: signal ?? null })),
      /** The bytes as they came; `took` is told how many there are so far. It may take minutes, and has no limit. */
      export: async (body: T.ExportContacts, signal: AbortSignal, took: (bytes: number) => void): Promise<Blob> => {
        const response = await reached(
          fetch(`${BASE}/contacts/export`, {
            method: "POST",
            credentials: "same-origin",
            headers: { "Content-Type": "application/json", "Accept-Language": options.language(), "X-Belofte": "1" },
            body: JSON.stringify(body),
            signal,
          }),
        );
        if (!response.ok) {
          throw new ApiError(toProblem(response.status, await response.json().catch(() => null)));
        }
        const counted = new TransformStream<Uint8Array, Uint8Array>({
          transform(part, onwards) {
            bytes += part.byteLength;
            took(bytes);
            onwards.enqueue(part);
          },
        });
        let bytes = 0;
        const whole = response.body?.pipeThrough(counted) ?? null;
        return reached(new Response(whole, { headers: { "Content-Type": response.headers.get("Content-Type") ?? "" } }).blob());
      },
      conversations: (contact: Uuid, query: { cursor?: string; limit?: number } = {}, signal?: AbortSignal) =>
        take(
          client.GET("/api/v1/contacts/{id}/conversations", {
            params: { ...id(contact), query },
            signal: signal ?? null,
          }),
        ),
      rename: (contact: Uuid, name: string) =>
        take(client.PATCH("/api/v1/contacts/{id}", { params: id(contact), body: { name } })),
      chooseImages: (contact: Uuid, body: T.ChooseImages) =>
        take(client.POST("/api/v1/contacts/{id}/remote-images", { params: id(contact), body })),
    },
    search: {
      find: (q: string, cursor?: string, signal?: AbortSignal, limit = 30) =>
        take(
          client.POST("/api/v1/search", {
            body: cursor ? { q, limit, cursor } : { q, limit },
            signal: signal ?? null,
          }),
        ),
      suggest: (prefix: string, signal?: AbortSignal) =>
        take(client.POST("/api/v1/search/suggest", { body: { prefix }, signal: signal ?? null })),
    },
    fields: {
      list: () => take(client.GET("/api/v1/fields")),
      readable: (record: T.RecordKind, signal?: AbortSignal) =>
        take(client.GET("/api/v1/fields/readable", { params: { query: { record } }, signal: signal ?? null })),
      create: (body: T.CreateField) => take(client.POST("/api/v1/fields", { body })),
      update: (field: Uuid, body: T.UpdateField) => take(client.PATCH("/api/v1/fields/{id}", { params: id(field), body })),
      remove: (field: Uuid) => take(client.DELETE("/api/v1/fields/{id}", { params: id(field) })),
      order: (record: T.RecordKind, ids: Uuid[]) => take(client.POST("/api/v1/fields/order", { body: { record, ids } })),
      preview: (field: Uuid, body: T.PreviewKind, signal?: AbortSignal) =>
        take(client.POST("/api/v1/fields/{id}/preview", { params: id(field), body, signal: signal ?? null })),
      of: (record: { kind: T.RecordKind; id: Uuid }, signal?: AbortSignal) =>
        record.kind === "contact"
          ? take(client.GET("/api/v1/contacts/{id}/fields", { params: id(record.id), signal: signal ?? null }))
          : take(client.GET("/api/v1/conversations/{id}/fields", { params: id(record.id), signal: signal ?? null })),
      change: (record: { kind: T.RecordKind; id: Uuid }, values: T.ChangeValue[]) =>
        record.kind === "contact"
          ? take(client.PATCH("/api/v1/contacts/{id}/fields", { params: id(record.id), body: { values } }))
          : take(client.PATCH("/api/v1/conversations/{id}/fields", { params: id(record.id), body: { values } })),
    },
    teams: {
      list: () => take(client.GET("/api/v1/teams")),
      get: (team: Uuid) => take(client.GET("/api/v1/teams/{id}", { params: id(team) })),
      create: (body: T.CreateTeam) => take(client.POST("/api/v1/teams", { body })),
      change: (team: Uuid, body: T.UpdateTeam) => take(client.PATCH("/api/v1/teams/{id}", { params: id(team), body })),
    },
    queues: {
      list: (query: { archived?: boolean } = {}) => take(client.GET("/api/v1/queues", { params: { query } })),
      get: (queue: Uuid, signal?: AbortSignal) => take(client.GET("/api/v1/queues/{id}", { params: id(queue), signal: signal ?? null })),
      create: (body: T.CreateQueue) => take(client.POST("/api/v1/queues", { body })),
      change: (queue: Uuid, body: T.UpdateQueue) => take(client.PATCH("/api/v1/queues/{id}", { params: id(queue), body })),
      hours: (queue: Uuid, body: T.SetBusinessHours) => take(client.PATCH("/api/v1/queues/{id}/hours", { params: id(queue), body })),
      order: (ids: Uuid[]) => take(client.POST("/api/v1/queues/order", { body: { ids } })),
      archive: (queue: Uuid, into: Uuid | null) =>
        take(client.POST("/api/v1/queues/{id}/archive", { params: id(queue), body: into ? { into_id: into } : {} })),
      restore: (queue: Uuid) => take(client.POST("/api/v1/queues/{id}/restore", { params: id(queue) })),
    },
    channelAccounts: {
      list: () => take(client.GET("/api/v1/channel-accounts")),
      create: (body: T.CreateChannelAccount) => take(client.POST("/api/v1/channel-accounts", { body })),
      change: (account: Uuid, body: T.UpdateChannelAccount) =>
        take(client.PATCH("/api/v1/channel-accounts/{id}", { params: id(account), body })),
      remove: (account: Uuid) =>
        take(client.DELETE("/api/v1/channel-accounts/{id}", { params: id(account) })),
      test: (body: T.TestChannelAccount) =>
        take(client.POST("/api/v1/channel-accounts/test", { body })),
      accounting: (account: Uuid) =>
        take(client.GET("/api/v1/channel-accounts/{id}/accounting", { params: id(account) })),
      authorise: (account: Uuid) =>
        take(client.POST("/api/v1/channel-accounts/{id}/authorisation", { params: id(account) })),
      authorised: (account: Uuid, body: T.CompleteAuthorisation) =>
        take(client.POST("/api/v1/channel-accounts/{id}/authorisation/code", { params: id(account), body })),
      forget: (account: Uuid) =>
        take(client.DELETE("/api/v1/channel-accounts/{id}/authorisation", { params: id(account) })),
    },
    quarantine: {
      list: (account?: Uuid, cursor?: string) =>
        take(
          client.GET("/api/v1/quarantine", {
            params: { query: { ...(account ? { account } : {}), ...(cursor ? { cursor } : {}) } },
          }),
        ),
      sourceUrl: (mail: Uuid) => `${BASE}/quarantine/${mail}/source`,
      retry: (mail: Uuid) =>
        take(client.POST("/api/v1/quarantine/{id}/retry", { params: id(mail) })),
    },
    deadLetters: {
      list: () => take(client.GET("/api/v1/dead-letters")),
      retry: (letter: Uuid) =>
        take(client.POST("/api/v1/dead-letters/{id}/retry", { params: id(letter) })),
    },
    ledger: {
      page: (before?: number) =>
        take(
          client.GET("/api/v1/ledger", {
            params: { query: before === undefined ? { limit: 100 } : { before, limit: 100 } },
          }),
        ),
      export: async (): Promise<Blob> => {
        const response = await fetch(`${BASE}/ledger/export`, {
          method: "POST",
          credentials: "same-origin",
          headers: { "X-Belofte": "1", "Idempotency-Key": options.newKey() },
        });
        if (!response.ok) {
          throw new ApiError(toProblem(response.status, await response.json().catch(() => null)));
        }
        return response.blob();
      },
    },
  };
}

/** `fetch` tells nothing about the progress of an upload; XMLHttpRequest does. */
function upload(file: File, progress: (fraction: number) => void, options: ApiOptions): Upload {
  const request = new XMLHttpRequest();
  const promise = new Promise<T.Attachment>((resolve, reject) => {
    request.open("POST", `${BASE}/attachments`);
    request.setRequestHeader("X-Belofte", "1");
    request.setRequestHeader("Idempotency-Key", options.newKey());
    request.setRequestHeader("Accept-Language", options.language());
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status === 201) resolve(request.response as T.Attachment);
      else reject(new ApiError(toProblem(request.status, request.response)));
    };
    request.onerror = () => reject(new NoAnswer("no answer"));
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    const form = new FormData();
    form.append("file", file, file.name);
    request.send(form);
  });
  return { promise, cancel: () => request.abort() };
}
