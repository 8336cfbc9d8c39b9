// SPDX-License-Identifier: EUPL-1.2
//! State of the made-up API: conforms to the contract, lives in memory.

import type * as T from "@belofte/api-client";
import { fillers, stories } from "./mails";

let counter = 0;
export function uuid(): string {
  counter += 1;
  return `01930000-0000-7000-8000-${counter.toString(16).padStart(12, "0")}`;
}

export const minute = 60_000;
const start = Date.now();
export const iso = (ms: number) => new Date(ms).toISOString();
export const ago = (minutes: number) => iso(start - minutes * minute);

export const me: T.User = {
  id: uuid(),
  name: "Sanne de Wit",
  email: "sanne@noorderlicht.example",
  role: "admin",
  privacy_officer: true,
  state: "active",
  language: "nl",
  colour_scheme: "auto",
  single_key_shortcuts: true,
  last_seen_at: ago(1),
};

export const users: T.User[] = [
  me,
  { ...me, id: uuid(), name: "Daan Vermeulen", email: "daan@noorderlicht.example", role: "agent", privacy_officer: false, last_seen_at: ago(14) },
  { ...me, id: uuid(), name: "Aisha Bouzid", email: "aisha@noorderlicht.example", role: "supervisor", privacy_officer: false, last_seen_at: ago(190) },
  { ...me, id: uuid(), name: "Tom Achterberg", email: "tom@noorderlicht.example", role: "agent", state: "blocked", privacy_officer: false, last_seen_at: ago(60 * 24 * 40) },
];

export const ref = (user: T.User): T.UserRef => ({ id: user.id, name: user.name, role: user.role, state: user.state });

export const tenant = { id: uuid(), name: "Noorderlicht Wonen" };
export const queues: T.Organisation[] = [
  { id: uuid(), name: "Klantenservice" },
  { id: uuid(), name: "Facturen" },
];

export const tags: T.Tag[] = [
  { id: uuid(), name: "Retour", colour: "teal", archived: false },
  { id: uuid(), name: "Spoed", colour: "red", archived: false },
  { id: uuid(), name: "Garantie", colour: "blue", archived: false },
  { id: uuid(), name: "Op maat gemaakt", colour: "violet", archived: false },
  { id: uuid(), name: "Actie voorjaar", colour: "amber", archived: true },
];
export const tagRef = (index: number): T.TagRef => {
  const { id, name, colour } = tags[index] as T.Tag;
  return { id, name, colour };
};
export const savedViews: T.SavedView[] = [
  { id: uuid(), name: "Spoed en open", shared: true, own: false, filter: { status: "open", assignee: "any", tag: tags[1]?.id ?? "" } },
  { id: uuid(), name: "Mijn facturen", shared: false, own: true, filter: { status: "open", assignee: "me", queue: queues[1]?.id ?? "" } },
];

const NO_ACTIONS: T.MacroActions = { assignee: "any", add_tag_ids: [], remove_tag_ids: [] };
export const macros: T.Macro[] = [
  {
    id: uuid(),
    name: "Retour aanmelden",
    shared: true,
    own: false,
    actions: { ...NO_ACTIONS, status: "waiting", assignee: "me", add_tag_ids: [tags[0]?.id ?? ""] },
    languages: ["nl", "en"],
    texts: {
      nl: {
        text: "Beste {{contact.first_name|klant}},\n\nU kunt de bestelling binnen 14 dagen terugsturen.\n\nMet vriendelijke groet,\n{{agent.name}}",
        html: "<p>Beste {{contact.first_name|klant}},</p><p>U kunt de bestelling <strong>binnen 14 dagen</strong> terugsturen:</p><ol><li><p>Pak alles in.</p></li><li><p>Plak het label op de doos.</p></li></ol><p>Met vriendelijke groet,<br>{{agent.name}}</p>",
      },
      en: { text: "Dear {{contact.first_name|customer}},\n\nYou can return the order within 14 days.\n\nKind regards,\n{{agent.name}}" },
    },
    uses: 128,
    used_on: ago(60 * 24),
    version: 3,
  },
  {
    id: uuid(),
    name: "Meubel beschadigd: foto’s vragen",
    shared: true,
    own: true,
    actions: { ...NO_ACTIONS, status: "snoozed", snooze: { days: 3, time: "09:00" }, add_tag_ids: [tags[2]?.id ?? ""] },
    languages: ["nl"],
    texts: { nl: { text: "Beste {{contact.name}},\n\nWat vervelend. Kunt u ons foto’s sturen van {{conversation.subject}}?" } },
    uses: 41,
    used_on: ago(60 * 24 * 4),
    version: 1,
  },
  {
    id: uuid(),
    name: "Naar Tom, met spoed",
    shared: false,
    own: true,
    actions: { ...NO_ACTIONS, assignee: users[3]?.id ?? "", add_tag_ids: [tags[1]?.id ?? ""] },
    languages: [],
    texts: {},
    uses: 2,
    used_on: ago(60 * 24 * 60),
    version: 1,
  },
];

const queue = (index: number): T.Organisation => queues[index % queues.length] as T.Organisation;

export const accounts: T.ChannelAccount[] = [
  {
    id: uuid(),
    kind: "email",
    address: "service@noorderlicht.example",
    from_name: "Klantenservice Noorderlicht",
    signature: "Met vriendelijke groet,\n{name}\nNoorderlicht Wonen",
    state: "active",
    queue_id: queue(0).id,
    submission: { host: "smtp.noorderlicht.example", port: 465, security: "tls", username: "service", sign_in: "password", password_set: true },
    retrieval: {
      host: "imap.noorderlicht.example",
      port: 993,
      security: "tls",
      username: "service",
      sign_in: "password",
      password_set: true,
      folders: ["INBOX", "Webwinkel"],
      after: "seen",
      since: ago(60 * 24 * 90),
      status: { state: "current", looked_at: ago(2), older: 0, left_there: 0 },
    },
    reply_language: "nl",
    created_at: ago(60 * 24 * 90),
  },
  {
    id: uuid(),
    kind: "email",
    address: "facturen@noorderlicht.example",
    from_name: "Administratie Noorderlicht",
    signature: "",
    state: "paused",
    queue_id: queue(1).id,
    submission: { host: "smtp.noorderlicht.example", port: 587, security: "starttls", username: "facturen", sign_in: "password", password_set: true, waiting: { messages: 3, code: "authentication_failed", since: ago(95) } },
    reply_language: "nl",
    created_at: ago(60 * 24 * 30),
  },
  {
    id: uuid(),
    kind: "email",
    address: "webwinkel@noorderlicht.example",
    from_name: "Webwinkel Noorderlicht",
    signature: "Webwinkel Noorderlicht\n{address}",
    state: "active",
    queue_id: queue(0).id,
    submission: { host: "smtp.noorderlicht.example", port: 465, security: "tls", username: "webwinkel", sign_in: "password", password_set: true },
    retrieval: {
      host: "imap.noorderlicht.example",
      port: 993,
      security: "tls",
      username: "webwinkel",
      sign_in: "password",
      password_set: true,
      folders: ["INBOX"],
      after: "move",
      move_to: "Verwerkt",
      status: { state: "failing", problem: "authentication_failed", problem_since: ago(95), looked_at: ago(96), older: 0, left_there: 1 },
    },
    reply_language: "nl",
    created_at: ago(60 * 24 * 12),
  },
  {
    id: uuid(),
    kind: "email",
    address: "verhuur@noorderlicht.example",
    from_name: "Verhuur Noorderlicht",
    signature: "",
    state: "active",
    queue_id: queue(0).id,
    submission: { host: "smtp.office365.com", port: 587, security: "starttls", username: "verhuur@noorderlicht.example", sign_in: "authorisation", password_set: false },
    retrieval: {
      host: "outlook.office365.com",
      port: 993,
      security: "tls",
      username: "verhuur@noorderlicht.example",
      sign_in: "authorisation",
      password_set: false,
      folders: ["INBOX"],
      after: "seen",
      status: { state: "failing", problem: "authorisation_ended", problem_since: ago(35), looked_at: ago(36), older: 0, left_there: 0 },
    },
    authorisation: {
      authorization_endpoint: "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize?prompt=select_account",
      token_endpoint: "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
      client_id: "0f8d1c1e-7c55-4b0a-9d0c-5d1f4a6f3e21",
      client_secret_set: true,
      scope: "offline_access https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send",
      state: "ended",
      since: ago(35),
    },
    reply_language: "nl",
    created_at: ago(60 * 24 * 5),
  },
];

export const accounting: T.Accounting = { received: 18_432, imported: 18_391, duplicates: 36, quarantined: 4, pending: 1 };
export const quarantine: T.Quarantined[] = [
  { id: uuid(), channel_account_id: accounts[0]?.id ?? "", received_at: ago(95), size_bytes: 48_210, reason: "not_a_message" },
  { id: uuid(), channel_account_id: accounts[0]?.id ?? "", received_at: ago(60 * 3), size_bytes: 88_320, reason: "malware", signature: "Win.Test.EICAR_HDB-1" },
  { id: uuid(), channel_account_id: accounts[0]?.id ?? "", received_at: ago(60 * 26), size_bytes: 2_640_000, reason: "too_many_parts", retried_at: ago(60 * 20) },
  { id: uuid(), channel_account_id: accounts[1]?.id ?? "", received_at: ago(60 * 24 * 6), size_bytes: 1_820, reason: "no_sender" },
];

export const deadLetters: T.DeadLetter[] = [
  { id: uuid(), kind: "deliver", failed_at: ago(51), attempts: 12, error_code: "seal_broken" },
  { id: uuid(), kind: "process_intake", failed_at: ago(60 * 30), attempts: 8, error_code: "storage_full" },
];

export const apiKeys: T.ApiKey[] = [
  { id: uuid(), name: "Webwinkel", scope: "write", created_at: ago(60 * 24 * 12), last_used_at: ago(4), expires_at: iso(start + 120 * 24 * 60 * minute) },
];
const published = (selector: string, domain: string) => ({
  domain,
  record_name: `${selector}._domainkey.${domain}`,
  record_value: `v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA${"q3Vb9sLw4kTzh7Qd2nVbX0eR".repeat(14)}IDAQAB`,
});
export const signingDomains: T.SigningDomain[] = [
  {
    domain: "noorderlicht.example",
    account_ids: [uuid(), uuid()],
    keys: [
      { id: uuid(), state: "waiting", problem: "cut_off", checked_at: ago(1), created_at: ago(26), ...published("belofte-5b1f09ac", "noorderlicht.example") },
      { id: uuid(), state: "signing", checked_at: ago(140), seen_at: ago(140), began_at: ago(60 * 24 * 190), created_at: ago(60 * 24 * 191), ...published("belofte-9d2f7c0a", "noorderlicht.example") },
      { id: uuid(), state: "former", began_at: ago(60 * 24 * 400), ended_at: ago(60 * 24 * 190), created_at: ago(60 * 24 * 400), ...published("belofte-0c51e84b", "noorderlicht.example") },
    ],
  },
  { domain: "service.noorderlicht.example", account_ids: [uuid()], keys: [] },
];
export const invitations: T.Invitation[] = [
  { id: uuid(), role: "agent", privacy_officer: false, created_at: ago(60), expires_at: iso(start + 47 * 60 * minute) },
];
export const sessions: T.OwnSession[] = [
  { id: uuid(), created_at: ago(60 * 8), last_seen_at: ago(0), current: true, user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36" },
  { id: uuid(), created_at: ago(60 * 72), last_seen_at: ago(60 * 11), current: false, user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1" },
];

export const secret: T.NewSecret = {
  secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
  uri: "otpauth://totp/Belofte%20Noorderlicht:sanne%40noorderlicht.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Belofte%20Noorderlicht&algorithm=SHA1&digits=6&period=30",
  expires_at: iso(start + 15 * minute),
};

export const push: T.Push = {
  offered: true,
  allowed: true,
  public_key: "BOVfEeVXAhCIzBLLa_Cn0uFF0GKDWwg2pP1KnGNcVh7eQVyCrm7ZdVY2LD-kPj9hX9wpAv0V8D3YfZJm2gAwQ3E",
  services: ["fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"],
  devices: [
    { id: uuid(), user_agent: sessions[0]?.user_agent ?? "", service: "fcm.googleapis.com", current: false, told_at: ago(37), created_at: ago(60 * 24 * 9) },
    { id: uuid(), user_agent: sessions[1]?.user_agent ?? "", service: "web.push.apple.com", current: false, problem: "refused", created_at: ago(60 * 72) },
  ],
};

export interface Case {
  row: T.ConversationRow;
  contact: T.Contact;
  messages: T.Message[];
  activity: T.Activity[];
}

export const cases = new Map<string, Case>();
export const files = new Map<string, { name: string; type: string; bytes: Uint8Array }>();
export const contacts = new Map<string, T.Contact>();

/** What was found out about who sent a mail from `address`. */
function checkedSender(address: string, sender: (typeof stories)[number]["sender"]): T.Authentication {
  const domain = address.split("@")[1] ?? "";
  switch (sender) {
    case undefined:
      return {
        verdict: "verified",
        domain,
        spf: { result: "pass", domain },
        dkim: [{ result: "pass", domain, selector: "s1" }],
        dmarc: { result: "pass", policy: "reject" },
      };
    case "unknown":
      return { verdict: "unverified", domain, spf: { result: "none", domain }, dkim: [], dmarc: { result: "none" } };
    case "fetched":
      return {
        verdict: "unverified",
        domain,
        spf: { result: "not_checked" },
        dkim: [{ result: "body_changed", domain, selector: "mail" }],
        dmarc: { result: "not_checked", policy: "quarantine" },
      };
    case "forged":
      return {
        verdict: "disowned",
        domain,
        spf: { result: "fail", domain },
        dkim: [{ result: "pass", domain: "betaal-hier.example", selector: "k1" }],
        dmarc: { result: "fail", policy: "reject" },
      };
  }
}

let messageNo = 40_000;
const service: T.Mailbox = { name: "Klantenservice Noorderlicht", address: "service@noorderlicht.example" };

function attachment(name: string, type: string, size: number): T.Attachment {
  const id = uuid();
  files.set(id, { name, type, bytes: new Uint8Array(Math.min(size, 4096)) });
  return { id, name, media_type: type, size_bytes: size, inline: false };
}

export function deliveryTo(recipient: T.Mailbox, at: string, state: T.DeliveryState = "sent"): T.Delivery {
  return { id: uuid(), recipient, role: "to", state, attempts: state === "queued" ? 0 : 1, updated_at: at };
}

export function makeMessage(
  conversation: string,
  kind: T.MessageKind,
  from: { contact?: T.Contact; user?: T.User },
  text: string,
  at: string,
  more: Partial<T.Message> = {},
): T.Message {
  messageNo += 1;
  const person: T.Mailbox = { name: from.contact?.name ?? "", address: from.contact?.identities[0]?.value ?? "" };
  const quoted = text.search(/\n(Op .* schreef|On .* wrote)/);
  return {
    id: uuid(),
    no: messageNo,
    conversation_id: conversation,
    kind,
    author:
      kind === "incoming"
        ? { kind: "contact", id: from.contact?.id ?? null, ...person }
        : { kind: "user", id: from.user?.id ?? null, name: from.user?.name ?? "" },
    to: kind === "incoming" ? [service] : kind === "note" ? [] : [person],
    cc: [],
    reply_to: [],
    text,
    ...(quoted > 0 ? { quoted_from: quoted + 1 } : {}),
    has_remote_images: (more.html ?? "").includes("data-remote-src"),
    attachments: [],
    deliveries: kind === "reply" || kind === "automatic" ? [deliveryTo(person, at)] : [],
    created_at: at,
    source_available: kind === "incoming",
    mentions: [],
    ...more,
  };
}

function build(
  index: number,
  name: string,
  address: string,
  subject: string,
  lines: (typeof stories)[number]["lines"],
  lastMinutes: number,
  status: T.ConversationStatus,
  assignee: T.User | null,
  unread: boolean,
  sender?: (typeof stories)[number]["sender"],
) {
  const id = uuid();
  const contact: T.Contact = {
    id: uuid(),
    name,
    identities: [{ id: uuid(), kind: "email", value: address, verified: index % 3 === 0 }],
    created_at: ago(60 * 24 * (40 + index)),
    conversation_count: 1,
  };
  if (index === 0) contact.identities.push({ id: uuid(), kind: "email", value: "m.vandenberg@thuis.example", verified: false });
  contacts.set(contact.id, contact);
  const gap = 210;
  const activity: T.Activity[] = [];
  const messages = lines.map((line, i) => {
    const at = ago(lastMinutes + (lines.length - 1 - i) * gap);
    const kind = ({ them: "incoming", us: "reply", note: "note", auto: "automatic" } as const)[line.from];
    const author = index % 2 === 0 ? me : (users[1] as T.User);
    return makeMessage(id, kind, { contact, user: author }, line.text, at, {
      subject,
      ...(line.html ? { html: line.html } : {}),
      ...(kind === "incoming" ? { authentication: checkedSender(address, sender) } : {}),
      ...line.more,
      attachments: (line.files ?? []).map(([n, t, s]) => attachment(n, t, s)),
    });
  });
  const last = messages.at(-1);
  const first = messages[0];
  if (!last || !first) return;
  activity.push({ id: uuid(), kind: "created", actor: { kind: "contact", name }, at: first.created_at });
  if (assignee) {
    activity.push({
      id: uuid(),
      kind: "assigned",
      actor: { kind: "user", name: "Aisha Bouzid" },
      at: iso(Date.parse(first.created_at) + 12 * minute),
      to: assignee.name,
    });
  }
  cases.set(id, {
    contact,
    messages,
    activity,
    row: {
      id,
      no: 1040 + index,
      status,
      contact: { id: contact.id, name, address },
      subject,
      preview: last.text.replace(/\s+/g, " ").slice(0, 140),
      channel: "email",
      channel_account_id: accounts[index % 2]?.id ?? "",
      queue: queue(index % 5 === 1 ? 1 : 0),
      assignee: assignee ? ref(assignee) : null,
      unread,
      message_count: messages.length,
      last_message_at: last.created_at,
      last_message_kind: last.kind,
      created_at: first.created_at,
      waiting_since: status === "open" && last.kind === "incoming" ? last.created_at : null,
      version: 1,
      delivery_problem: false,
      placed_at: last.created_at,
      tags: [],
    },
  });
}

stories.forEach((story, i) => {
  const last = [4, 22, 38, 61, 118, 300, 60 * 20, 60 * 22, 60 * 27, 60 * 50, 60 * 24 * 4, 60 * 24 * 11][i] ?? 30;
  const status: T.ConversationStatus = i === 5 || i === 7 ? "waiting" : "open";
  const assignee = i === 0 || i === 1 || i === 5 || i === 6 ? me : i === 4 || i === 7 ? (users[1] as T.User) : null;
  build(i, story.name, story.address, story.subject, story.lines, last, status, assignee, i === 0 || i === 2 || i === 3 || i === 9, story.sender);
});

const many = Number(process.env.FAKE_CONVERSATIONS ?? 400);
for (let i = 0; i < many; i++) {
  const [name, subject, text] = fillers[i % fillers.length] as [string, string, string];
  const address = `${name.toLowerCase().replace(/[^a-z]+/g, ".")}@post${i}.example`;
  const assignee = i % 7 === 0 ? me : i % 7 === 3 ? (users[2] as T.User) : null;
  const status: T.ConversationStatus = i % 5 < 2 ? "resolved" : i % 9 === 4 ? "waiting" : "open";
  build(20 + i, name, address, subject, [{ from: "them", text }], 60 * 24 * 12 + i * 97, status, assignee, false);
}

// Tags, one that is put off, and one that came back.
[...cases.values()].slice(0, 60).forEach(({ row }, index) => {
  if (index === 0) row.tags = [tagRef(2), tagRef(0)];
  else if (index === 2) row.tags = [tagRef(2), tagRef(3), tagRef(0)];
  else if (index % 7 === 3) row.tags = [tagRef(1)];
});
const later = [...cases.values()].filter((c) => c.row.status === "open" && !["Marieke van den Berg", "דנה לוי"].includes(c.row.contact.name)).slice(7, 10);
later.forEach(({ row }, index) => {
  row.status = "snoozed";
  row.snoozed_until = iso(start + (index * 26 + 3) * 60 * minute);
});
const back = [...cases.values()].find((c) => c.row.contact.name === "Yusuf Demir");
if (back) {
  back.row.woken_at = ago(30);
  back.row.placed_at = ago(30);
}

// One reply in each state of delivery, so that every explanation is seen.
const aoife = [...cases.values()].find((c) => c.row.contact.name === "Aoife Byrne");
if (aoife) {
  const reply = aoife.messages[1];
  if (reply) {
    const to = reply.to[0] as T.Mailbox;
    reply.cc = [{ name: "", address: "finance@kestrel-travel.example" }, { name: "", address: "desk@kestrel-travel.example" }];
    reply.deliveries = [
      { ...deliveryTo(to, reply.created_at, "failed"), code: "mailbox_full", remote_reply: "552 5.2.2 mailbox full" },
      { ...deliveryTo(reply.cc[0] as T.Mailbox, reply.created_at, "unknown"), role: "cc", code: "line_dropped" },
      { ...deliveryTo(reply.cc[1] as T.Mailbox, reply.created_at, "sent"), complained_at: ago(12) },
    ];
    aoife.row.delivery_problem = true;
  }
}

export const ledger: T.LedgerEntry[] = Array.from({ length: 180 }, (_, i) => {
  const no = 179 - i;
  const kinds: [T.LedgerKind, T.Summary][] = [
    ["views", { code: "views", params: { count: String(1 + (i % 30)) } }],
    ["sign_in", { code: "sign_in", params: {} }],
    ["instruction", { code: "channel_account_changed", params: { address: "service@noorderlicht.example" } }],
    ["sign_in", { code: "sign_in_failed", params: {} }],
    ["keys", { code: "key_rotated", params: { epoch: "12" } }],
  ];
  const [kind, summary] = kinds[(i * 7) % kinds.length] as (typeof kinds)[number];
  const actor: T.ActivityActor =
    kind === "keys" ? { kind: "system", name: "" } : { kind: "user", name: users[i % 3]?.name ?? "" };
  return { no, at: ago(i * 47), kind, actor, summary };
});
