// SPDX-License-Identifier: EUPL-1.2
//! Keys and options of everything that is fetched. Live events name these keys.

import { ApiError, type ConversationQuery, NoAnswer, type Uuid } from "@belofte/api-client";
import {
  infiniteQueryOptions,
  MutationCache,
  QueryCache,
  QueryClient,
  queryOptions,
} from "@tanstack/react-query";
import { api } from "./api";

let signedOut: (() => void) | null = null;

/** Registers what happens when any answer says that the session is over; returns how to take it back. */
export function whenSignedOut(then: () => void): () => void {
  signedOut = then;
  return () => {
    if (signedOut === then) signedOut = null;
  };
}

function notice(error: unknown) {
  if (error instanceof ApiError && error.status === 401 && error.code === "not_signed_in") signedOut?.();
}

/** The longest wait, in seconds, that passes without a word: beyond it the view says so. */
const QUIET_S = 3;

/** How many seconds to wait before asking again without being told to; null where asking again is of no use. */
function waitOf(error: unknown): number | null {
  if (!(error instanceof ApiError) || (error.status !== 503 && error.status !== 429)) return null;
  const wait = error.problem.retry_after_s ?? 0;
  return wait > QUIET_S ? null : wait;
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: notice }),
  mutationCache: new MutationCache({ onError: notice }),
  defaultOptions: {
    queries: {
      // Live events tell what is stale; time alone does not.
      staleTime: 5 * 60_000,
      gcTime: 15 * 60_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && (error instanceof NoAnswer || waitOf(error) !== null),
      retryDelay: (count, error) => Math.max(600 * 2 ** count, (waitOf(error) ?? 0) * 1000),
    },
    // What was sent and told, a password or a key, is gone a second after the view that asked.
    mutations: { gcTime: 1_000 },
  },
});

export const keys = {
  session: ["session"] as const,
  lists: ["conversations"] as const,
  list: (filter: ConversationQuery) => ["conversations", filter] as const,
  counts: ["counts"] as const,
  conversation: (id: Uuid) => ["conversation", id] as const,
  messages: (id: Uuid) => ["messages", id] as const,
  activity: (id: Uuid) => ["activity", id] as const,
  related: (id: Uuid) => ["related", id] as const,
  contacts: ["contacts"] as const,
  contact: (id: Uuid) => ["contact", id] as const,
  contactConversations: (id: Uuid) => ["contact-conversations", id] as const,
  users: ["users"] as const,
  invitations: ["invitations"] as const,
  queues: ["queues"] as const,
  queue: (id: Uuid) => ["queue", id] as const,
  teams: ["teams"] as const,
  team: (id: Uuid) => ["team", id] as const,
  fields: ["fields"] as const,
  recordFields: (kind: "contact" | "conversation", id: Uuid) => ["record-fields", kind, id] as const,
  tags: ["tags"] as const,
  savedViews: ["saved-views"] as const,
  macros: ["macros"] as const,
  drafts: ["drafts"] as const,
  notifications: ["notifications"] as const,
  notificationWays: ["notification-ways"] as const,
  mentionable: (id: Uuid) => ["mentionable", id] as const,
  accounts: ["channel-accounts"] as const,
  senders: ["senders"] as const,
  accounting: (id: Uuid) => ["accounting", id] as const,
  quarantine: ["quarantine"] as const,
  deadLetters: ["dead-letters"] as const,
  ledger: ["ledger"] as const,
  apiKeys: ["api-keys"] as const,
  signingKeys: ["signing-keys"] as const,
  sessions: ["sessions"] as const,
  secondFactor: ["second-factor"] as const,
  secondFactorRule: ["second-factor-rule"] as const,
  push: ["push"] as const,
  pushHere: ["push-here"] as const,
};

export const sessionQuery = queryOptions({
  queryKey: keys.session,
  queryFn: ({ signal }) => api.session.get(signal),
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
});

export const listQuery = (filter: ConversationQuery) =>
  infiniteQueryOptions({
    queryKey: keys.list(filter),
    queryFn: ({ pageParam, signal }) =>
      api.conversations.list(
        { ...filter, limit: 50, ...(pageParam ? { cursor: pageParam } : {}) },
        signal,
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor || undefined,
  });

export const countsQuery = queryOptions({
  queryKey: keys.counts,
  queryFn: ({ signal }) => api.conversations.counts(signal),
});

export const conversationQuery = (id: Uuid) =>
  queryOptions({
    queryKey: keys.conversation(id),
    queryFn: ({ signal }) => api.conversations.get(id, signal),
  });

export const messagesQuery = (id: Uuid) =>
  infiniteQueryOptions({
    queryKey: keys.messages(id),
    queryFn: ({ pageParam, signal }) => api.conversations.messages(id, pageParam || undefined, signal),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor || undefined,
  });

export const activityQuery = (id: Uuid) =>
  queryOptions({
    queryKey: keys.activity(id),
    queryFn: ({ signal }) => api.conversations.activity(id, signal),
  });

export const relatedQuery = (id: Uuid) =>
  queryOptions({
    queryKey: keys.related(id),
    queryFn: ({ signal }) => api.conversations.related(id, signal),
  });

export const mentionableQuery = (id: Uuid) =>
  queryOptions({ queryKey: keys.mentionable(id), queryFn: () => api.conversations.mentionable(id) });

export const usersQuery = queryOptions({ queryKey: keys.users, queryFn: () => api.users.list() });
/** Asked for again while it is shown: nothing is told when a queue opens or closes. */
export const queuesQuery = queryOptions({ queryKey: keys.queues, queryFn: () => api.queues.list(), refetchInterval: 60_000 });
/** Archived ones too. */
export const allQueuesQuery = queryOptions({ queryKey: ["queues", "all"] as const, queryFn: () => api.queues.list({ archived: true }) });
/** How one is set up; asked for again while something moves out of it or back. */
export const queueQuery = (id: Uuid) =>
  queryOptions({
    queryKey: keys.queue(id),
    queryFn: ({ signal }) => api.queues.get(id, signal),
    refetchInterval: ({ state }) => (state.data?.moving && !state.data.moving.failed ? 1500 : false),
  });
export const teamsQuery = queryOptions({ queryKey: keys.teams, queryFn: () => api.teams.list() });
export const teamQuery = (id: Uuid) => queryOptions({ queryKey: keys.team(id), queryFn: () => api.teams.get(id) });
export const fieldsQuery = queryOptions({ queryKey: keys.fields, queryFn: () => api.fields.list() });
/** What a person or a case has in the tenant's own fields. */
export const recordFieldsQuery = (record: { kind: "contact" | "conversation"; id: Uuid }) =>
  queryOptions({ queryKey: keys.recordFields(record.kind, record.id), queryFn: ({ signal }) => api.fields.of(record, signal) });
export const sendersQuery = queryOptions({ queryKey: keys.senders, queryFn: () => api.senders.list() });
export const tagsQuery = queryOptions({ queryKey: keys.tags, queryFn: () => api.tags.list() });
export const savedViewsQuery = queryOptions({ queryKey: keys.savedViews, queryFn: () => api.savedViews.list() });
export const macrosQuery = queryOptions({ queryKey: keys.macros, queryFn: () => api.macros.list() });
/** What one version of a macro says: it is never another. */
export const macroQuery = (id: Uuid, version: number) =>
  queryOptions({ queryKey: ["macro", id, version] as const, queryFn: () => api.macros.get(id) });
export const draftsQuery = queryOptions({ queryKey: keys.drafts, queryFn: () => api.drafts.list() });
export const accountsQuery = queryOptions({
  queryKey: keys.accounts,
  queryFn: () => api.channelAccounts.list(),
});
