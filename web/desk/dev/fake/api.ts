// SPDX-License-Identifier: EUPL-1.2
//! Answers of the made-up API. A developer's tool: never part of the build.

import type * as T from "@belofte/api-client";
import * as contacts from "./contacts";
import * as d from "./data";
import * as drafts from "./drafts";
import * as told from "./notifications";
import * as own from "./fields";
import * as work from "./queues";

/** A plain brown banner. */
const BANNER =
  "iVBORw0KGgoAAAANSUhEUgAAAggAAABaCAIAAABSRznhAAABGElEQVR42u3VMQ0AAAgEsVeCIRyhng0LLE2q4JbLdAHAiQQAGAMAxgCAMQBgDAAYAwDGAIAxAGAMABgDAMYAgDEAYAwAGAMAxgCAMQBgDAAYAwDGAIAxAIAxAGAMABgDAMYAgDEAYAwAGAMAxgCAMQBgDAAYAwDGAIAxAGAMABgDAMYAgDEAYAwAGAMAxgAAxgCAMQBgDAAYAwDGAIAxAGAMABgDAMYAgDEAYAwAGAMAxgCAMQBgDAAYAwDGAIAxAGAMABgDABgDAMYAgDEAYAwAGAMAxgCAMQBgDAAYAwDGAIAxAGAMABgDAMYAgDEAYAwAGAMAxgCAMQBgDABgDAAYAwDGAIAxAGAMABgDAMYAgDEAYAwAfFoGNyPvIowX9AAAAABJRU5ErkJggg==";

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  raw: Uint8Array;
  language: T.Language;
  signedIn: boolean;
}

export interface Answer {
  status: number;
  json?: unknown;
  bytes?: { type: string; name: string; data: Uint8Array };
  session?: "start" | "end";
}

export const events: { frame: (f: Omit<T.LiveFrame, "seq" | "at">) => void; whisper: (w: T.WhisperFrame) => void } = { frame: () => undefined, whisper: () => undefined };
export const fake = { seq: 100 };

const ok = (json: unknown, status = 200): Answer => ({ status, json });
const none: Answer = { status: 204 };

export function problem(status: number, code: string, title: string, detail: string, more: object = {}): Answer {
  return { status, json: { type: `/errors/${code}`, title, status, code, detail, request: d.uuid(), ...more } };
}

function notFound(language: T.Language): Answer {
  return language === "nl"
    ? problem(404, "not_found", "Niet gevonden", "Dit bestaat niet, of u mag het niet zien.")
    : problem(404, "not_found", "Not found", "This does not exist, or you may not see it.");
}

const OF_AGENTS: T.Permission[] = ["read_conversations", "answer", "assign"];
const OF_ADMINS: T.Permission[] = [
  ...OF_AGENTS,
  "create_tags",
  "manage_tags",
  "share_views",
  "see_queues",
  "manage_queues",
  "manage_fields",
  "export_contacts",
  "see_mail_accounting",
  "read_source",
  "retry_quarantine",
  "manage_users",
  "manage_channel_accounts",
  "manage_api_keys",
  "see_dead_letters",
  "manage_tenant",
];

const session = (): T.Session => ({
  user: d.me,
  tenant: d.tenant,
  permissions: d.me.role === "agent" ? OF_AGENTS : OF_ADMINS,
  live_seq: fake.seq,
});

const rows = () =>
  [...d.cases.values()].map((c) => c.row).sort((a, b) => b.placed_at.localeCompare(a.placed_at));

function selected(query: URLSearchParams): T.ConversationRow[] {
  const status = query.get("status") ?? "all";
  const assignee = query.get("assignee") ?? "any";
  const queue = query.get("queue");
  const tag = query.get("tag");
  return rows().filter(
    (r) =>
      (status === "all" || r.status === status) &&
      (!queue || r.queue.id === queue) &&
      (!tag || r.tags.some((one) => one.id === tag)) &&
      (assignee === "any" ||
        (assignee === "none" ? !r.assignee : r.assignee?.id === (assignee === "me" ? d.me.id : assignee))),
  );
}

function page<I>(items: I[], cursor: string | null, limit: number): T.Page<I> {
  const from = Number(cursor ?? 0);
  const next = from + limit < items.length ? String(from + limit) : null;
  return { items: items.slice(from, from + limit), next_cursor: next };
}

function whole(c: d.Case): T.Conversation {
  const others = rows().filter((r) => r.contact.name === c.row.contact.name && r.id !== c.row.id);
  return {
    ...c.row,
    contact: { ...c.contact, conversation_count: others.length + 1 },
    participants: [c.row.contact],
    threads: [{ id: c.row.id, channel: "email", channel_account_id: c.row.channel_account_id }],
    other_conversations: others.slice(0, 10),
  };
}

function log(c: d.Case, kind: T.ActivityKind, from: string | null, to: string | null) {
  c.activity.push({ id: d.uuid(), kind, actor: { kind: "user", name: d.me.name }, at: d.iso(Date.now()), from, to });
}

function savedMacro(kept: Pick<T.Macro, "id" | "own" | "uses" | "version">, body: Record<string, unknown>): T.Macro {
  const { name, shared, actions, texts } = body as unknown as T.SaveMacro;
  return {
    ...kept,
    name,
    shared: shared ?? false,
    actions: { assignee: "any", add_tag_ids: [], remove_tag_ids: [], ...actions },
    languages: (["nl", "en"] as const).filter((one) => texts?.[one]),
    texts: texts ?? {},
  };
}

function change(c: d.Case, body: Record<string, unknown>, language: T.Language): Answer {
  if (typeof body.version === "number" && body.version !== c.row.version) {
    return language === "nl"
      ? problem(409, "conflict", "Iemand was u voor", "Dit gesprek is intussen door iemand anders gewijzigd. U ziet nu de nieuwste stand.")
      : problem(409, "conflict", "Somebody was first", "Somebody else changed this conversation in the meantime. You now see the newest state.");
  }
  if (typeof body.status === "string" && (body.status !== c.row.status || body.status === "snoozed")) {
    if (body.status === "snoozed") log(c, "snoozed", c.row.status, String(body.snoozed_until));
    else log(c, "status", c.row.status, body.status);
    c.row.status = body.status as T.ConversationStatus;
    delete c.row.snoozed_until;
    delete c.row.woken_at;
    if (body.status === "snoozed") c.row.snoozed_until = String(body.snoozed_until);
  }
  const queue = d.queues.find((one) => one.id === body.queue_id);
  if (queue) {
    log(c, "queue", c.row.queue.name, queue.name);
    c.row.queue = queue;
  }
  for (const tag of d.tags) {
    const has = c.row.tags.some((one) => one.id === tag.id);
    if (!has && (body.add_tag_ids as string[] | undefined)?.includes(tag.id)) {
      log(c, "tagged", null, tag.name);
      c.row.tags = [...c.row.tags, { id: tag.id, name: tag.name, colour: tag.colour }];
    }
    if (has && (body.remove_tag_ids as string[] | undefined)?.includes(tag.id)) {
      log(c, "untagged", tag.name, null);
      c.row.tags = c.row.tags.filter((one) => one.id !== tag.id);
    }
  }
  if ("assignee_id" in body) {
    const user = d.users.find((u) => u.id === body.assignee_id);
    log(c, user ? "assigned" : "unassigned", null, user?.name ?? null);
    c.row.assignee = user ? d.ref(user) : null;
  }
  c.row.version += 1;
  events.frame({ kind: "conversation_changed", conversation_id: c.row.id });
  return ok(c.row);
}

/** A mail comes in, as the listener would bring it. */
export function receive(c: d.Case, text: string) {
  const at = d.iso(Date.now());
  c.messages.push(d.makeMessage(c.row.id, "incoming", { contact: c.contact }, text, at));
  Object.assign(c.row, {
    last_message_at: at,
    placed_at: at,
    preview: text.slice(0, 140),
    unread: true,
    last_message_kind: "incoming",
    status: "open",
    version: c.row.version + 1,
    message_count: c.messages.length,
  });
  events.frame({ kind: "message_created", conversation_id: c.row.id });
}

/** People as they were written: addresses, some with names. */
function people(body: Record<string, unknown>, field: string): T.Mailbox[] {
  return ((body[field] as string[] | undefined) ?? []).map((text) => {
    const named = /^(.*)<(.*)>$/.exec(text);
    return { name: named?.[1]?.trim() ?? "", address: named?.[2] ?? text };
  });
}

/** A mail begins a conversation. */
function begin(body: Record<string, unknown>): Answer {
  const [first] = people(body, "to");
  const [model] = [...d.cases.values()];
  if (!first || !model) return problem(422, "invalid", "", "");
  const id = d.uuid();
  const contact: T.Contact = { ...model.contact, id: d.uuid(), name: first.name, identities: [{ id: d.uuid(), kind: "email", value: first.address, verified: false }] };
  const row: T.ConversationRow = {
    ...model.row,
    id,
    no: 1040 + d.cases.size,
    status: "waiting",
    contact: { id: contact.id, ...first },
    subject: String(body.subject),
    assignee: d.ref(d.me),
    unread: false,
    message_count: 0,
    created_at: d.iso(Date.now()),
    waiting_since: null,
    delivery_problem: false,
  };
  d.cases.set(id, { contact, messages: [], activity: [], row });
  events.frame({ kind: "conversation_created", conversation_id: id });
  return send(d.cases.get(id) as d.Case, { ...body, kind: "reply" });
}

function send(c: d.Case, body: Record<string, unknown>): Answer {
  const kind = body.kind === "note" ? "note" : "reply";
  const at = d.iso(Date.now());
  const text = String(body.text);
  const attachments = ((body.attachment_ids as string[]) ?? []).map((id) => {
    const file = d.files.get(id);
    return { id, name: file?.name ?? "", media_type: file?.type ?? "", size_bytes: file?.bytes.length ?? 0, inline: false };
  });
  const message = d.makeMessage(c.row.id, kind, { contact: c.contact, user: d.me }, text, at, { attachments });
  message.mentions = ((body.mentions as T.Naming[] | undefined) ?? []).flatMap(({ user_id, starts_at, ends_at }) => {
    const user = d.users.find((one) => one.id === user_id);
    return user ? [{ user: d.ref(user), starts_at, ends_at }] : [];
  });
  if (kind === "note") message.undo_until = d.iso(Date.now() + 15 * d.minute);
  if (kind === "reply") {
    message.to = body.to ? people(body, "to") : [{ name: "", address: c.row.contact.address }];
    message.cc = people(body, "cc");
    message.deliveries = [
      ...[...message.to, ...message.cc].map((a) => d.deliveryTo(a, at, "queued")),
      ...people(body, "bcc").map((a) => ({ ...d.deliveryTo(a, at, "queued"), role: "bcc" as const })),
    ];
    const wait = Number(body.undo_seconds ?? 0) * 1000;
    if (wait > 0) for (const delivery of message.deliveries) delivery.next_try_at = d.iso(Date.now() + wait);
    setTimeout(() => {
      for (const delivery of message.deliveries) delivery.state = "sent";
      events.frame({ kind: "delivery_changed", conversation_id: c.row.id, message_id: message.id });
    }, 1500 + wait).unref();
  }
  c.messages.push(message);
  if (body.resolve) {
    log(c, "status", c.row.status, "resolved");
    c.row.status = "resolved";
  }
  Object.assign(c.row, { last_message_at: at, placed_at: at, preview: text.slice(0, 140), last_message_kind: kind, version: c.row.version + 1, waiting_since: null });
  events.frame({ kind: "message_created", conversation_id: c.row.id });
  return ok(message, 201);
}

function search(q: string): T.SearchPage {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const items: T.SearchHit[] = [];
  for (const c of d.cases.values()) {
    const inSubject = words.every((w) => c.row.subject.toLowerCase().includes(w));
    const inContact = words.every((w) => `${c.row.contact.name} ${c.row.contact.address}`.toLowerCase().includes(w));
    const message = c.messages.find((m) => words.every((w) => m.text.toLowerCase().includes(w)));
    const text = message?.text.replace(/\s+/g, " ") ?? (inSubject ? c.row.subject : c.row.preview);
    if (!inSubject && !inContact && !message) continue;
    const at = words[0] ? text.toLowerCase().indexOf(words[0]) : -1;
    const from = Math.max(0, at - 40);
    const hit = words[0]?.length ?? 0;
    const snippet =
      at < 0
        ? [{ text: text.slice(0, 120), match: false }]
        : [
            { text: (from > 0 ? "…" : "") + text.slice(from, at), match: false },
            { text: text.slice(at, at + hit), match: true },
            { text: text.slice(at + hit, at + 90), match: false },
          ];
    items.push({
      conversation: c.row,
      message_id: message?.id ?? null,
      matched: message ? "message" : inSubject ? "subject" : "contact",
      snippet,
      at: message?.created_at ?? c.row.last_message_at,
    });
  }
  items.sort((a, b) => b.at.localeCompare(a.at));
  return { items: items.slice(0, 30), next_cursor: null, took_ms: 3, indexed_lag: 0, unindexed: false };
}

function multipart(raw: Uint8Array): { name: string; type: string; bytes: Uint8Array } {
  const text = Buffer.from(raw).toString("latin1");
  const name = Buffer.from(/filename="([^"]*)"/.exec(text)?.[1] ?? "bestand", "latin1").toString("utf8");
  const type = /Content-Type: ([^\r]*)/i.exec(text)?.[1] ?? "application/octet-stream";
  const from = text.indexOf("\r\n\r\n") + 4;
  const to = text.lastIndexOf("\r\n--");
  return { name, type, bytes: raw.slice(from, to) };
}

export function answer(call: Call): Answer {
  const { method, path, query, body, language } = call;
  const at = `${method} ${path}`;
  const nl = language === "nl";
  if (at === "POST /session") {
    if (body.password === "fout" || body.password === "wrong") {
      return nl
        ? problem(401, "sign_in_failed", "Aanmelden is niet gelukt", "Adres en wachtwoord horen niet bij elkaar. Controleer beide en probeer het opnieuw.")
        : problem(401, "sign_in_failed", "Sign-in failed", "The address and the password do not belong together. Check both and try again.");
    }
    if (String(body.email).startsWith("twee") && !body.organisation_id) {
      return problem(409, "choose_organisation", nl ? "Kies een organisatie" : "Choose an organisation", "", {
        organisations: [d.tenant, { id: d.uuid(), name: "Zuiderzon Tuinen" }],
      });
    }
    return { ...ok(session(), 201), session: "start" };
  }
  if (at === "POST /invitations/look") {
    if (body.token === "oud") {
      return problem(410, "invitation_invalid", nl ? "Deze uitnodiging geldt niet meer" : "This invitation is no longer valid", nl ? "Zij is al gebruikt of verlopen. Vraag uw beheerder om een nieuwe." : "It was used or has expired. Ask your administrator for a new one.");
    }
    return ok({ tenant_name: d.tenant.name, role: "agent", expires_at: d.iso(Date.now() + 40 * 60 * d.minute) });
  }
  if (at === "POST /invitations/accept") return { ...ok(session(), 201), session: "start" };
  if (!call.signedIn) {
    return problem(401, "not_signed_in", nl ? "U bent niet aangemeld" : "You are not signed in", nl ? "Meld u opnieuw aan." : "Sign in again.");
  }
  if (at === "GET /session") return ok(session());
  if (at === "DELETE /session") return { ...none, session: "end" };
  if (at === "GET /sessions") return ok({ items: d.sessions });
  if (at === "GET /me/second-factor") return ok({ recovery_codes: 0, asked: false });
  if (at === "POST /me/second-factor") return ok(d.secret);
  if (at === "GET /second-factor-rule") return ok({ admin: false, supervisor: false, agent: false });
  if (at === "GET /push") return ok(d.push);
  if (at === "PATCH /push") return ok(Object.assign(d.push, { allowed: body.allowed === true, devices: body.allowed === true ? d.push.devices : [] }));
  if (at === "PATCH /me") return ok(Object.assign(d.me, body));
  if (at === "POST /me/password") return none;
  if (at === "GET /me/notifications") return ok(told.preferences());
  if (at === "PATCH /me/notifications") return ok(told.choose(body.items as T.NotificationPreference[]));
  if (at === "GET /notifications") return ok(told.list());
  if (at === "PATCH /notifications") return ok(told.mark(body));
  if (at === "GET /users") return ok({ items: d.users });
  if (at === "GET /invitations") return ok({ items: d.invitations });
  if (at === "POST /invitations") {
    const made = {
      id: d.uuid(),
      role: body.role as T.Role,
      privacy_officer: body.privacy_officer === true,
      created_at: d.iso(Date.now()),
      expires_at: d.iso(Date.now() + 48 * 60 * d.minute),
    };
    d.invitations.push(made);
    return ok({ id: made.id, link: "https://desk.noorderlicht.example/invitation#h7Qd-2nVb-9sLw-4kTz", expires_at: made.expires_at }, 201);
  }
  if (at === "GET /signing-keys") return ok({ items: d.signingDomains });
  if (at === "POST /signing-keys") {
    const domain = d.signingDomains.find((one) => one.domain === body.domain);
    const first = d.signingDomains.flatMap((one) => one.keys)[0];
    if (!domain || !first) return notFound(language);
    const key: T.SigningKey = { id: d.uuid(), state: "waiting", created_at: d.iso(Date.now()), domain: domain.domain, record_name: `belofte-77aa10c3._domainkey.${domain.domain}`, record_value: first.record_value };
    domain.keys.unshift(key);
    return ok(key, 201);
  }
  if (at === "GET /api-keys") return ok({ items: d.apiKeys });
  if (at === "POST /api-keys") {
    const key = { id: d.uuid(), name: String(body.name), scope: body.scope as T.Scope, created_at: d.iso(Date.now()), expires_at: String(body.expires_at) };
    d.apiKeys.push(key);
    return ok({ ...key, key: "blf_9d2f7c0a51e84b6f8a3e" }, 201);
  }
  if (at === "GET /queues") return ok(work.list(query.get("archived") === "true"));
  if (at === "GET /teams") return ok(work.teamList());
  if (at === "GET /fields") return ok(own.list());
  if (at === "GET /fields/readable") return ok(own.ofRecord(query.get("record") === "conversation" ? "conversation" : "contact", {}));
  if (at === "GET /tags") return ok({ items: [...d.tags].sort((a, b) => a.name.localeCompare(b.name)) });
  if (at === "POST /tags") {
    const made: T.Tag = { id: d.uuid(), name: String(body.name), colour: (body.colour as T.TagColour | undefined) ?? "grey", archived: false };
    d.tags.push(made);
    return ok(made, 201);
  }
  if (at === "GET /drafts") return ok({ items: drafts.all() });
  if (at === "GET /drafts/mail") return ok({ items: drafts.of("mail") });
  if (at === "PATCH /drafts/mail") {
    const { status, saved } = drafts.save("mail", "mail", body);
    return status === 200 ? ok(saved) : problem(409, "draft_changed", "Elders gewijzigd", "");
  }
  if (at === "GET /saved-views") return ok({ items: d.savedViews });
  if (at === "POST /saved-views") {
    const made = { ...(body as unknown as T.SaveView), id: d.uuid(), own: true, shared: body.shared === true } as T.SavedView;
    d.savedViews.push(made);
    return ok(made, 201);
  }
  if (at === "GET /macros") return ok({ items: d.macros.map(({ texts, ...one }) => one) });
  if (at === "POST /macros") {
    const made = savedMacro({ id: d.uuid(), own: true, uses: 0, version: 1 }, body);
    d.macros.push(made);
    return ok(made, 201);
  }
  if (at === "POST /conversations/bulk") {
    const items = (body.items as T.UpdateOne[]).map(({ id, change: wanted }) => {
      const c = d.cases.get(id);
      const done = c ? change(c, wanted as Record<string, unknown>, language) : null;
      if (!c || !done) return { id, outcome: "not_found" };
      return done.status === 200 ? { id, outcome: "changed", version: c.row.version } : { id, outcome: "conflict" };
    });
    return ok({ items });
  }
  if (at === "GET /conversations/numbered") {
    const found = rows().find((row) => row.no === Number(query.get("no")));
    return found ? ok(found) : notFound(language);
  }
  if (at === "GET /conversations/counts") {
    const all = rows();
    return ok({
      open: all.filter((r) => r.status === "open").length,
      mine: all.filter((r) => r.status === "open" && r.assignee?.id === d.me.id).length,
      unassigned: all.filter((r) => r.status === "open" && !r.assignee).length,
      waiting: all.filter((r) => r.status === "waiting").length,
      snoozed: all.filter((r) => r.status === "snoozed").length,
      resolved: all.filter((r) => r.status === "resolved").length,
    });
  }
  if (at === "POST /conversations") {
    drafts.sent("mail", "mail", body.draft_version);
    return begin(body);
  }
  if (at === "GET /senders") {
    const signed = (a: T.ChannelAccount) => a.signature.replace("{name}", d.me.name).replace("{address}", a.address);
    const can = (a: T.ChannelAccount) => a.state === "active" && Boolean(a.submission);
    return ok({ items: d.accounts.map((a) => ({ id: a.id, address: a.address, from_name: a.from_name, signature: signed(a), can_send: can(a) })) });
  }
  if (at === "GET /conversations") return ok(page(selected(query), query.get("cursor"), Number(query.get("limit") ?? 50)));
  if (at === "POST /contacts") {
    const made = contacts.add(body as unknown as T.CreateContact);
    if (Array.isArray(made)) {
      return language === "nl"
        ? problem(422, "invalid", "Ongeldige invoer", "Niet alles klopt. Bij elk veld staat wat er niet klopt.", { fields: made })
        : problem(422, "invalid", "Not valid", "Not everything is right. Each field says what is wrong.", { fields: made });
    }
    events.frame({ kind: "contact_changed" });
    return ok(made, 201);
  }
  if (at === "POST /contacts/search") return ok(contacts.find(body as unknown as T.FindContacts));
  if (at === "POST /search") return ok(search(String(body.q)));
  if (at === "POST /search/suggest") {
    const prefix = String(body.prefix).toLowerCase();
    const words = ["factuur", "levering", "storing", "retour", "invoice", "refund", "garantie"].filter((w) => w.startsWith(prefix));
    const contacts = [...d.cases.values()].map((c) => c.row.contact).filter((c) => c.name.toLowerCase().includes(prefix)).slice(0, 4);
    return ok({ words, contacts });
  }
  if (at === "POST /attachments") {
    const file = multipart(call.raw);
    const id = d.uuid();
    d.files.set(id, file);
    return ok({ id, name: file.name, media_type: file.type, size_bytes: file.bytes.length, inline: false }, 201);
  }
  if (at === "GET /channel-accounts") return ok({ items: d.accounts.filter((a) => a.state !== "removed"), redirect_uri: "https://desk.noorderlicht.example/settings/authorised" });
  if (at === "POST /channel-accounts") {
    const made = { ...(d.accounts[0] as T.ChannelAccount), ...(body as object), id: d.uuid(), state: "active" as const };
    d.accounts.push(made);
    return ok(made, 201);
  }
  if (at === "POST /channel-accounts/test") {
    return ok({
      steps: [
        { step: "resolve", ok: true },
        { step: "connect", ok: true },
        { step: "tls", ok: true },
        { step: "greeting", ok: true },
        { step: "authentication", ok: false, code: "authentication_failed", detail: "535 5.7.8 authentication failed" },
      ],
    });
  }
  if (at === "GET /quarantine") {
    const account = query.get("account");
    return ok({ items: d.quarantine.filter((q) => !account || q.channel_account_id === account) });
  }
  if (at === "GET /dead-letters") return ok({ items: d.deadLetters });
  if (at === "GET /ledger") {
    const before = Number(query.get("before") ?? Number.MAX_SAFE_INTEGER);
    return ok({
      items: d.ledger.filter((l) => l.no < before).slice(0, Number(query.get("limit") ?? 100)),
      size: d.ledger.length,
      checkpoint: "belofte/noorderlicht\n180\nq3Zl8m0yB6y0cJw3Tt1uCwQk0o4n2V1s8bqf7H0yJ1A=\n",
    });
  }
  return byId(call);
}

function byId(call: Call): Answer {
  const { method, path, body, query, language } = call;
  const [, noun, id = "", verb = ""] = path.split("/");
  const at = `${method} ${noun}${verb ? `/${verb}` : ""}`;
  const c = d.cases.get(id);
  if (noun === "conversations") {
    if (!c) return notFound(language);
    switch (at) {
      case "GET conversations":
        return ok(whole(c));
      case "PATCH conversations":
        return change(c, body, language);
      case "GET conversations/drafts":
        return ok({ items: drafts.of(id) });
      case "PATCH conversations/drafts": {
        const { status, saved } = drafts.save(id, body.kind as T.Draft["kind"], body);
        return status === 200 ? ok(saved) : problem(409, "draft_changed", "Elders gewijzigd", "");
      }
      case "GET conversations/mentionable":
        return ok(told.mentionable());
      case "POST conversations/seen":
        c.row.unread = false;
        return none;
      case "GET conversations/messages": {
        const end = query.get("before") ? Number(query.get("before")) : c.messages.length;
        const begin = Math.max(0, end - 50);
        return ok({ items: c.messages.slice(begin, end), next_cursor: begin > 0 ? String(begin) : null });
      }
      case "POST conversations/messages":
        drafts.sent(id, body.kind === "note" ? "note" : "reply", body.draft_version);
        return send(c, body);
      case "GET conversations/related": {
        const others = rows().filter((row) => row.id !== c.row.id);
        // Enough to look at: the first has one of each.
        if (c.row.contact.name !== "Marieke van den Berg") return ok({ linked: [], merged: [] });
        return ok({
          linked: others.slice(3, 4),
          merged: [{ id: d.uuid(), no: 1204, subject: "Nogmaals: tafel beschadigd", contact: c.row.contact.name, into_id: c.row.id }],
        });
      }
      case "POST conversations/merge": {
        const ids = (body as unknown as T.MergeConversations).conversation_ids;
        for (const other of ids) {
          const part = d.cases.get(other);
          if (!part) continue;
          c.messages = [...c.messages, ...part.messages].sort((a, b) => a.created_at.localeCompare(b.created_at));
          c.row.message_count = c.messages.length;
          d.cases.delete(other);
          log(c, "merged", String(part.row.no), null);
        }
        return ok(c.row);
      }
      case "POST conversations/macro": {
        const { macro_id: wanted, snoozed_until, skip_missing: rest } = body as unknown as T.UseMacro;
        const used = d.macros.find((one) => one.id === wanted);
        if (!used) return notFound(language);
        const { status, add_tag_ids = [], remove_tag_ids = [], assignee } = used.actions;
        const user = d.users.find((one) => one.id === (assignee === "me" ? d.me.id : assignee));
        if (user?.state === "blocked" && !rest) return problem(422, "invalid", "Klopt niet", "");
        const { row } = c;
        const undo: T.UndoMacro = {
          ...(status && status !== row.status ? { status: row.status } : {}),
          ...(user ? { assignee_id: row.assignee?.id ?? null } : {}),
          add_tag_ids: remove_tag_ids.filter((id) => row.tags.some((tag) => tag.id === id)),
          remove_tag_ids: add_tag_ids.filter((id) => !row.tags.some((tag) => tag.id === id)),
        };
        change(c, { add_tag_ids, remove_tag_ids, ...(status ? { status, snoozed_until } : {}), ...(user?.state === "active" ? { assignee_id: user.id } : {}) }, language);
        used.uses += 1;
        return ok({ conversation: c.row, changed: true, undo });
      }
      case "GET conversations/activity":
        return ok({ items: c.activity });
    }
  }
  switch (at) {
    case "GET attachments": {
      const file = d.files.get(id);
      return file ? { status: 200, bytes: { type: file.type, name: file.name, data: file.bytes } } : notFound(language);
    }
    case "POST messages/retry": {
      for (const one of d.cases.values()) {
        const message = one.messages.find((m) => m.id === id);
        if (!message) continue;
        for (const delivery of message.deliveries) {
          if (delivery.state === "failed" || delivery.state === "unknown") delivery.state = "queued";
        }
        one.row.delivery_problem = false;
        return ok(message);
      }
      return notFound(language);
    }
    case "POST messages/remote-images": {
      const message = [...d.cases.values()].flatMap((one) => one.messages).find((m) => m.id === id);
      if (!message) return notFound(language);
      const found = [...(message.html ?? "").matchAll(/data-remote-src="([^"]+)"/g)].map((one) => String(one[1]));
      const data = `data:image/png;base64,${BANNER}`;
      return ok({
        items: found.map((address) => (/o\.gif$/.test(address) ? { address, state: "tracks" } : { address, state: "shown", data })),
      });
    }
    case "POST contacts/remote-images": {
      for (const message of [...d.cases.values()].flatMap((one) => one.messages)) {
        if (message.author.id !== id || !message.has_remote_images) continue;
        if (body.show) message.show_images_for = body.for as T.ImagesFor;
        else delete message.show_images_for;
      }
      return none;
    }
    case "GET messages/source":
    case "GET messages/eml": {
      const message = [...d.cases.values()].flatMap((one) => one.messages).find((m) => m.id === id);
      if (!message) return notFound(language);
      const text = `From: ${message.author.name} <${message.author.address ?? ""}>\r\nSubject: ${message.subject ?? ""}\r\nMIME-Version: 1.0\r\n\r\n${message.text.replaceAll("\n", "\r\n")}`;
      return { status: 200, bytes: { type: "message/rfc822", name: `${message.no}.eml`, data: new TextEncoder().encode(text) } };
    }
    case "POST messages/undo": {
      for (const one of d.cases.values()) {
        const message = one.messages.find((m) => m.id === id);
        if (!message) continue;
        one.messages.splice(one.messages.indexOf(message), 1);
        return ok(message);
      }
      return notFound(language);
    }
    case "GET contacts": {
      const contact = contacts.get(id);
      return contact ? ok(contact) : notFound(language);
    }
    case "GET contacts/conversations":
      return ok(page(contacts.conversations(id), query.get("cursor"), Number(query.get("limit") ?? 50)));
    case "PATCH contacts": {
      const contact = contacts.get(id);
      if (!contact) return notFound(language);
      contact.name = String(body.name);
      contacts.rename(id, contact.name);
      for (const one of d.cases.values()) if (one.contact.id === id) one.row.contact.name = contact.name;
      events.frame({ kind: "contact_changed" });
      return ok(contact);
    }
    case "GET channel-accounts/accounting":
      return ok(id === d.accounts[0]?.id ? d.accounting : { received: 2113, imported: 2112, duplicates: 0, quarantined: 1, pending: 0 });
    case "PATCH channel-accounts": {
      const account = d.accounts.find((a) => a.id === id);
      return account ? ok(Object.assign(account, body)) : notFound(language);
    }
    case "GET channel-accounts": {
      const account = d.accounts.find((a) => a.id === id);
      return account ? ok(account) : notFound(language);
    }
    case "DELETE channel-accounts": {
      const account = d.accounts.find((a) => a.id === id);
      if (account) account.state = "removed";
      return none;
    }
    case "PATCH users": {
      const user = d.users.find((u) => u.id === id);
      return user ? ok(Object.assign(user, body)) : notFound(language);
    }
    case "POST quarantine/retry":
    case "POST dead-letters/retry":
      return ok({ id, state: "queued" }, 202);
    case "PATCH tags": {
      const tag = d.tags.find((one) => one.id === id);
      return tag ? ok(Object.assign(tag, body)) : notFound(language);
    }
    case "POST tags/merge":
      return none;
    case "GET queues": {
      const found = work.queue(id ?? "");
      return found ? ok(found) : notFound(language);
    }
    case "GET contacts/fields":
      return ok(own.ofRecord("contact", contacts.valuesOf(id)));
    case "GET conversations/fields":
      return ok(own.ofRecord("conversation"));
    case "POST fields/preview":
      return ok(own.preview);
    case "GET teams": {
      const found = work.team(id ?? "");
      return found ? ok(found) : notFound(language);
    }
    case "GET macros": {
      const found = d.macros.find((one) => one.id === id);
      return found ? ok(found) : notFound(language);
    }
    case "PATCH macros": {
      const found = d.macros.find((one) => one.id === id);
      return found ? ok(Object.assign(found, savedMacro({ ...found, version: found.version + 1 }, body))) : notFound(language);
    }
    case "PATCH saved-views": {
      const view = d.savedViews.find((one) => one.id === id);
      return view ? ok(Object.assign(view, body)) : notFound(language);
    }
    case "DELETE macros":
    case "DELETE saved-views":
    case "DELETE sessions":
    case "DELETE invitations":
    case "DELETE api-keys": {
      const lists: Record<string, { id: string }[]> = { sessions: d.sessions, invitations: d.invitations, "api-keys": d.apiKeys, "saved-views": d.savedViews, macros: d.macros };
      const list = lists[noun ?? ""] ?? [];
      const index = list.findIndex((x) => x.id === id);
      if (index >= 0) list.splice(index, 1);
      return none;
    }
  }
  return notFound(language);
}
