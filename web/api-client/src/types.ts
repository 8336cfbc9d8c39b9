// SPDX-License-Identifier: EUPL-1.2
//! The shapes of the HTTP contract, one to one. Times are RFC 3339 strings in
//! UTC, ids are UUID strings, sizes are bytes.

export type Uuid = string;
export type Time = string;

export type Role = "agent" | "supervisor" | "admin";
export type Language = "nl" | "en";
export type ColourScheme = "auto" | "light" | "dark";
export type ConversationStatus = "open" | "waiting" | "resolved";

export interface FieldProblem {
  field: string;
  code: string;
}

/** RFC 9457 problem; `title` and `detail` come in the user's language. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  request?: Uuid;
  fields?: FieldProblem[];
  retry_after_s?: number;
  organisations?: Named[];
}

export interface Named {
  id: Uuid;
  name: string;
}

export interface UserRef {
  id: Uuid;
  name: string;
  role: Role;
  state: "active" | "blocked";
}

export interface User extends UserRef {
  email: string;
  privacy_officer: boolean;
  language: Language;
  colour_scheme: ColourScheme;
  single_key_shortcuts: boolean;
  last_seen_at?: Time;
}

export interface Session {
  user: User;
  tenant: Named;
  permissions: string[];
  live_seq: number;
}

export interface SessionRow {
  id: Uuid;
  created_at: Time;
  last_seen_at: Time;
  current: boolean;
  user_agent: string;
}

export interface Invitation {
  id: Uuid;
  role: Role;
  privacy_officer?: boolean;
  created_at?: Time;
  expires_at: Time;
}

export interface InvitationCreated {
  id: Uuid;
  link: string;
  expires_at: Time;
}

export interface InvitationLook {
  tenant_name: string;
  role: Role;
  expires_at: Time;
}

export interface ApiKey {
  id: Uuid;
  name: string;
  scope: "read" | "write";
  expires_at: Time;
}

export interface ApiKeyCreated extends ApiKey {
  key: string;
}

export interface Address {
  name: string;
  address: string;
}

export interface ContactRef {
  id: Uuid;
  name: string;
  address: string;
}

export interface ConversationRow {
  id: Uuid;
  no: number;
  status: ConversationStatus;
  contact: ContactRef;
  subject: string;
  preview: string;
  channel: "email";
  channel_account_id: Uuid;
  queue: Named;
  assignee?: UserRef | null;
  unread: boolean;
  message_count: number;
  last_message_at: Time;
  last_message_kind: MessageKind;
  created_at: Time;
  waiting_since?: Time | null;
  version: number;
  delivery_problem: boolean;
}

export interface Identity {
  id: Uuid;
  kind: "email";
  value: string;
  verified: boolean;
}

export interface Contact {
  id: Uuid;
  name: string;
  identities: Identity[];
  created_at: Time;
  conversation_count: number;
}

export interface ConversationThread {
  id: Uuid;
  channel: "email";
  channel_account_id: Uuid;
}

export interface Conversation extends Omit<ConversationRow, "contact"> {
  contact: Contact;
  participants: Address[];
  threads: ConversationThread[];
  other_conversations: ConversationRow[];
}

export interface ConversationCounts {
  open: number;
  mine: number;
  unassigned: number;
  waiting: number;
  resolved: number;
}

export type MessageKind = "incoming" | "reply" | "note" | "automatic";

export interface Attachment {
  id: Uuid;
  name: string;
  media_type: string;
  size_bytes: number;
  inline: boolean;
  content_id?: string | null;
}

export type DeliveryState = "queued" | "sending" | "sent" | "failed" | "unknown";

export interface Delivery {
  id: Uuid;
  recipient: Address;
  role: "to" | "cc" | "bcc";
  state: DeliveryState;
  attempts: number;
  next_try_at?: Time | null;
  code?: string | null;
  remote_reply?: string | null;
  updated_at: Time;
}

export interface Message {
  id: Uuid;
  no: number;
  conversation_id: Uuid;
  thread_id?: Uuid | null;
  kind: MessageKind;
  author: {
    kind: "contact" | "user" | "api_key";
    id?: Uuid | null;
    name?: string | null;
    address?: string | null;
  };
  subject?: string | null;
  to: Address[];
  cc: Address[];
  text: string;
  /** Sanitised fragment; inline images as `cid:`, remote images as `data-remote-src`. */
  html?: string | null;
  /** Offset in `text`, in Unicode code points, where quoted history begins. */
  quoted_from?: number | null;
  has_remote_images: boolean;
  attachments: Attachment[];
  deliveries: Delivery[];
  created_at: Time;
  sent_at?: Time | null;
  source_available: boolean;
}

export interface NewMessage {
  kind: "reply" | "note";
  text: string;
  html?: string;
  to?: string[];
  cc?: string[];
  attachment_ids: Uuid[];
  resolve?: boolean;
}

export type ActivityKind =
  | "created"
  | "assigned"
  | "unassigned"
  | "status"
  | "queue"
  | "viewed";

export interface Activity {
  id: Uuid;
  kind: ActivityKind;
  actor: { kind: string; name?: string | null };
  at: Time;
  from?: string | null;
  to?: string | null;
}

export interface SearchHit {
  conversation: ConversationRow;
  message_id?: Uuid | null;
  matched: "message" | "subject" | "contact";
  snippet: { text: string; match: boolean }[];
  at: Time;
}

export interface SearchAnswer {
  items: SearchHit[];
  next_cursor?: string | null;
  took_ms: number;
  indexed_lag: number;
}

export interface Suggestions {
  words: string[];
  contacts: ContactRef[];
}

export type Security = "tls" | "starttls" | "none";

export interface Submission {
  host: string;
  port: number;
  security: Security;
  username?: string | null;
  password_set: boolean;
}

export interface SubmissionInput {
  host: string;
  port: number;
  security: Security;
  username?: string;
  password?: string;
}

export interface ChannelAccount {
  id: Uuid;
  kind: "email";
  address: string;
  from_name: string;
  state: "active" | "paused" | "removed";
  queue_id: Uuid;
  submission?: Submission | null;
  reply_language: Language;
  created_at: Time;
}

export interface NewChannelAccount {
  kind: "email";
  address: string;
  from_name: string;
  queue_id?: Uuid;
  submission?: SubmissionInput;
}

export interface ChannelAccountPatch {
  from_name?: string;
  queue_id?: Uuid;
  state?: "active" | "paused";
  reply_language?: Language;
  submission?: SubmissionInput;
}

export type ChannelAccountTest = NewChannelAccount | { id: Uuid; submission?: SubmissionInput };

export type TestStepName =
  | "resolve"
  | "connect"
  | "tls"
  | "greeting"
  | "authentication"
  | "sender";

export interface TestStep {
  step: TestStepName;
  ok: boolean;
  code?: string | null;
  detail?: string | null;
}

/** `received` = `imported` + `duplicates` + `quarantined` + `pending`, always. */
export interface Accounting {
  received: number;
  imported: number;
  duplicates: number;
  quarantined: number;
  pending: number;
}

export interface Quarantined {
  id: Uuid;
  channel_account_id: Uuid;
  received_at: Time;
  size_bytes: number;
  reason: string;
  retried_at?: Time | null;
}

export interface DeadLetter {
  id: Uuid;
  kind: string;
  failed_at: Time;
  attempts: number;
  error_code: string;
}

export interface LedgerEntry {
  no: number;
  at: Time;
  kind: string;
  actor: { kind: string; name?: string | null };
  summary: { code: string; params: Record<string, string | number | boolean | null> };
}

export interface LedgerPage {
  items: LedgerEntry[];
  size: number;
  checkpoint?: string | null;
}

export interface Items<T> {
  items: T[];
}

export interface Page<T> extends Items<T> {
  next_cursor?: string | null;
}

export type LiveKind =
  | "hello"
  | "conversation_created"
  | "conversation_changed"
  | "message_created"
  | "delivery_changed"
  | "quarantine_changed"
  | "channel_account_changed"
  | "user_changed"
  | "resync";

export interface LiveFrame {
  seq: number;
  kind: LiveKind;
  conversation_id?: Uuid | null;
  message_id?: Uuid | null;
  channel_account_id?: Uuid | null;
  user_id?: Uuid | null;
  at: Time;
}
