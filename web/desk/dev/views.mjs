// SPDX-License-Identifier: EUPL-1.2
// The views that are photographed, with what is done before.

const openRow = (text) => async (page) => {
  await page.getByRole("link", { name: new RegExp(text) }).first().click();
  await page.waitForTimeout(700);
};

const api = (path) => new RegExp(`/api/v1${path}`);
const json = (body, status = 200) => (route) =>
  route.fulfill({ status, contentType: "application/json", body: JSON.stringify(body) });
const problem = (status, code, texts, more = {}) => async (page, language) => {
  const [title, detail] = texts[language];
  const body = { type: `/errors/${code}`, title, detail, status, code, request: "01a20110-3f12-7d16-8a1d-92ee566f8c15", ...more };
  await page.route(more.path ?? api("/conversations\\?"), json(body, status));
};
/** A path that no answer comes from while the picture is taken. */
const silent = (path) => (page) => page.route(path, () => undefined);
const empty = async (page) => {
  await page.route(api("/conversations\\?"), json({ items: [] }));
  await page.route(api("/conversations/counts"), json({ open: 0, mine: 0, unassigned: 0, waiting: 0, snoozed: 0, resolved: 0 }));
};
const BROKEN = {
  nl: ["Fout in het programma", "Er ging iets mis in het programma. Het is vastgelegd. Probeer het opnieuw; blijft het misgaan, geef dan het nummer van deze aanvraag door."],
  en: ["Error in the program", "Something went wrong in the program. It has been logged. Try again; if it keeps failing, give the number of this request."],
};
const WRONG = {
  nl: ["Aanmelden mislukt", "Dit adres en wachtwoord horen niet bij elkaar, of de gebruiker is geblokkeerd. Kijk beide na."],
  en: ["Sign-in failed", "This address and password do not belong together, or the user is blocked. Check both."],
};
const LOCKED = {
  nl: ["Te vaak geprobeerd", "Dit is te vaak geprobeerd. Wacht 840 seconden en probeer het opnieuw."],
  en: ["Too many tries", "This was tried too often. Wait 840 seconds and try again."],
};
const USED = {
  nl: ["Uitnodiging niet geldig", "Deze uitnodiging is gebruikt, ingetrokken of verlopen. Vraag een beheerder van uw organisatie om een nieuwe."],
  en: ["Invitation not valid", "This invitation was used, withdrawn or has expired. Ask an admin of your organisation for a new one."],
};
const trySignIn = async (page) => {
  await page.locator('input[name="email"]').fill("sanne@noorderlicht.example");
  await page.locator('input[name="password"]').fill("geen idee");
  await page.keyboard.press("Enter");
  await page.waitForTimeout(300);
};
const role = (name) => (page) => page.request.get(`${new URL(page.url()).origin}/api/v1/fake/role?role=${name}`);

/** Two columns of the tenant's own; chosen for the first picture, and kept on this device for the others. */
const contactColumns = async (page) => {
  await page.getByRole("link", { name: /Bartholomeus/ }).waitFor();
  const kept = await page.evaluate(() => localStorage.getItem("belofte.contacts"));
  if (kept) return;
  await page.getByRole("button", { name: /^(Kolommen|Columns)$/ }).click();
  await page.getByRole("menuitemcheckbox", { name: /^(Klantnummer|Customer number)$/ }).click();
  await page.getByRole("menuitemcheckbox", { name: /^(Kredietruimte|Credit limit)$/ }).click();
  await page.keyboard.press("Escape");
  await page.waitForTimeout(500);
};

/** Opens the form of somebody new and begins to fill it in; the focus stays in the address. */
const newContact = async (page, name, address) => {
  await page.getByRole("link", { name: /Bartholomeus/ }).waitFor();
  await page.getByRole("button", { name: /^(Nieuw contact|New contact)$/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^(Naam|Name)$/).fill(name);
  await dialog.getByLabel(/^(Klantnummer|Customer number)/).waitFor();
  await dialog.getByLabel(/^(E-mailadres|E-mail address) 1$/).fill(address);
  return dialog;
};

export const views = {
  inbox: { path: "/inbox/open" },
  thread: { path: "/inbox/mine", act: openRow("Marieke") },
  writing: {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.request.get(`${new URL(page.url()).origin}/api/v1/fake/presence?who=Marieke`);
      await page.waitForTimeout(600);
    },
  },
  draft: {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.keyboard.press("r");
      await page.keyboard.type("Beste Marieke, ");
      await page.getByText(/^(Concept opgeslagen|Draft saved)$/).waitFor();
    },
  },
  naming: {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.keyboard.press("n");
      await page.keyboard.type(" @Da");
      await page.getByRole("option").first().waitFor();
      await page.keyboard.press("Enter");
      await page.keyboard.type("en @");
      await page.getByRole("option").first().waitFor();
    },
  },
  named: {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.keyboard.press("n");
      await page.keyboard.type(" @Daan");
      await page.getByRole("option").first().waitFor();
      await page.keyboard.press("Enter");
      await page.keyboard.type("kijk jij of de tafel nog in het magazijn staat?");
      await page.keyboard.press("Control+Enter");
      await page.waitForTimeout(700);
    },
  },
  notifications: {
    path: "/inbox/mine",
    act: async (page) => {
      await page.waitForTimeout(700);
      await page.locator("nav button[aria-haspopup=dialog]").click();
      await page.getByRole("dialog").getByRole("listitem").first().waitFor();
      await page.waitForTimeout(300);
    },
  },
  "notifications-empty": {
    path: "/inbox/mine",
    before: (page) => page.route(api("/notifications$"), json({ items: [], unread: 0, on_devices: [] })),
    act: async (page) => {
      await page.waitForTimeout(700);
      await page.locator("nav button[aria-haspopup=dialog]").click();
      await page.getByRole("dialog").waitFor();
      await page.waitForTimeout(300);
    },
  },
  drafts: {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.keyboard.press("r");
      await page.keyboard.type("Beste Marieke, ");
      await page.getByText(/^(Concept opgeslagen|Draft saved)$/).waitFor();
      await page.goto(new URL("/inbox/drafts", page.url()).href);
      await page.waitForTimeout(700);
    },
  },
  html: { path: "/inbox/unassigned", act: openRow("Fenna") },
  images: {
    path: "/inbox/unassigned",
    act: async (page) => {
      await openRow("Fenna")(page);
      await page.getByRole("button", { name: /^(Afbeeldingen tonen|Show images)$/ }).click();
      await page.waitForTimeout(600);
      await page.getByRole("button", { name: /^(Altijd|Always)$/ }).click();
      await page.waitForTimeout(300);
    },
  },
  brought: { path: "/inbox/unassigned", act: openRow("Overleg over de inrichting") },
  source: {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.getByRole("button", { name: /^(Meer over het bericht van|More about the message from) Marieke/ }).last().click();
      await page.getByRole("menuitem", { name: /^(Bron bekijken|Show source)$/ }).click();
      await page.waitForTimeout(500);
    },
  },
  print: {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      const id = new URL(page.url()).pathname.split("/").at(-1);
      await page.goto(new URL(`/print/${id}`, page.url()).href);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.waitForTimeout(300);
    },
  },
  quoted: { path: "/inbox/mine", act: openRow("Oliver") },
  deliveries: { path: "/inbox/waiting", act: openRow("Aoife") },
  sender: {
    path: "/inbox/unassigned",
    act: async (page) => {
      await openRow("Fenna")(page);
      await page.getByRole("button", { name: /^(Afzender geverifieerd|Sender verified)/ }).click();
      await page.waitForTimeout(200);
    },
  },
  "sender-forged": {
    path: "/inbox/unassigned",
    act: openRow("rekeningnummer"),
  },
  note: {
    path: "/inbox/mine",
    act: async (page, size) => {
      await openRow("Marieke")(page);
      await page.getByRole("button", { name: /^(Notitie|Note)$/ }).click();
      await page.locator("textarea").fill("Monteurs nemen de verpakking mee, afgesproken met Zwolle.");
      if (size === "phone") await page.locator("textarea").blur();
    },
  },
  "reply-all": {
    path: "/inbox/mine",
    act: async (page, size) => {
      await openRow("Marieke")(page);
      await page.getByRole("button", { name: /^(Aan|To) / }).click();
      await page.getByRole("combobox", { name: /^(Aan|To)$/ }).click();
      await page.keyboard.type("piet@leverancier.example,niet-goed,");
      await page.getByRole("button", { name: /Bcc/ }).click();
      await page.getByRole("combobox", { name: "Bcc" }).fill("im");
      await page.locator("textarea").fill("Goedemiddag, wij kijken het na.");
      if (size === "phone") await page.locator("textarea").blur();
    },
  },
  forward: {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.keyboard.press("f");
      await page.waitForTimeout(200);
      await page.keyboard.type("oli");
      await page.waitForTimeout(500);
    },
  },
  formatted: {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.locator("textarea").fill("Beste mevrouw Van den Berg,\n\nZo gaan we het doen:");
      await page.getByRole("button", { name: /^(Opmaak|Formatting)$/ }).click();
      await page.getByRole("toolbar").waitFor();
      await page.getByRole("textbox").press("Control+End");
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: /^(Genummerde lijst|Numbered list)$/ }).click();
      await page.keyboard.type("de tafel komt de 27e");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Control+b");
      await page.keyboard.type("u belt ons bij schade");
    },
  },
  "new-mail": {
    path: "/inbox/mine/new",
    act: async (page) => {
      await page.getByRole("combobox", { name: /^(Aan|To)$/ }).waitFor();
      await page.keyboard.type("Jan Jansen <jan@klant.example>,");
      await page.locator('input[maxlength="500"]').fill("Uw afspraak van dinsdag");
      await page.locator("textarea").fill("Goedemiddag,\n\nKomt dinsdag tussen tien en twaalf u uit?");
    },
  },
  merge: {
    path: "/inbox/mine",
    act: async (page, size) => {
      await openRow("Marieke")(page);
      await page.getByRole("button", { name: /^(Meer voor dit gesprek|More for this conversation)$/ }).click();
      await page.getByRole("menuitem", { name: /^(Samenvoegen|Merge)/ }).click();
      await page.getByRole("dialog").getByRole("textbox").waitFor();
      await page.waitForTimeout(size === "phone" ? 400 : 200);
    },
  },
  "merge-preview": {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.getByRole("button", { name: /^(Meer voor dit gesprek|More for this conversation)$/ }).click();
      await page.getByRole("menuitem", { name: /^(Samenvoegen|Merge)/ }).click();
      await page.getByRole("dialog").getByRole("textbox").fill("#1041");
      await page.getByRole("dialog").getByRole("listitem").getByRole("button").first().click();
      await page.waitForTimeout(300);
    },
  },
  split: {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.getByRole("button", { name: /^(Meer voor dit gesprek|More for this conversation)$/ }).click();
      await page.getByRole("menuitem", { name: /^(Berichten afsplitsen|Split off)/ }).click();
      await page.getByRole("dialog").getByRole("checkbox").last().check();
      await page.waitForTimeout(300);
    },
  },
  assign: {
    path: "/inbox/open",
    sizes: ["wide"],
    act: async (page) => {
      await openRow("Imogen")(page);
      await page.keyboard.press("a");
    },
  },
  panel: {
    path: "/inbox/mine",
    sizes: ["phone"],
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.getByRole("button", { name: /zijpaneel|side panel/i }).click();
    },
  },
  search: {
    path: "/search",
    act: async (page) => {
      await page.locator("#search-field").fill("tafel");
      await page.waitForTimeout(600);
    },
  },
  contacts: { path: "/contacts", act: contactColumns },
  "contacts-filter": {
    path: "/contacts",
    act: async (page) => {
      await contactColumns(page);
      await page.getByRole("button", { name: "Filter" }).click();
      const filter = page.getByRole("group", { name: "Filter", exact: true });
      await filter.getByLabel(/^(Waarde|Value)$/).fill("o");
      await filter.getByRole("button", { name: /^(Voorwaarde toevoegen|Add a condition)$/ }).click();
      const second = filter.getByRole("group", { name: /^(Voorwaarde|Condition) 2$/ });
      await second.getByLabel(/^(Waarover|What it is about)$/).selectOption({ label: /nl/.test(await page.evaluate(() => document.documentElement.lang)) ? "Voorkeuren" : "Preferences" });
      await second.getByRole("checkbox").first().check();
      await second.getByRole("checkbox").last().check();
      await page.waitForTimeout(700);
    },
  },
  contact: {
    path: "/contacts",
    act: async (page) => {
      await contactColumns(page);
      await page.getByRole("link", { name: /Bartholomeus/ }).click();
      await page.getByRole("heading", { level: 2, name: /Bartholomeus/ }).waitFor();
      await page.waitForTimeout(400);
    },
  },
  "contact-new": {
    path: "/contacts",
    act: async (page) => {
      await newContact(page, "Hilde Versteeg", "hilde@versteeg.example");
      await page.getByRole("button", { name: /^(Nog een adres|Another address)$/ }).click();
      await page.keyboard.type("h.versteeg@atelier.example");
    },
  },
  "contact-new-errors": {
    path: "/contacts",
    act: async (page) => {
      const dialog = await newContact(page, "Hilde Versteeg", "hilde@versteeg.example");
      for (const typed of ["hilde@versteeg.example", "hilde@"]) {
        await page.getByRole("button", { name: /^(Nog een adres|Another address)$/ }).click();
        await page.keyboard.type(typed);
      }
      await dialog.getByLabel(/^(Klantnummer|Customer number)/).fill("12-34");
      await page.keyboard.press("Enter");
      await page.waitForTimeout(500);
    },
  },
  "contact-new-required": {
    path: "/contacts",
    act: async (page) => {
      await newContact(page, "", "");
      await page.keyboard.press("Enter");
      await page.waitForTimeout(300);
    },
  },
  "contact-new-taken": {
    path: "/contacts",
    act: async (page) => {
      const dialog = await newContact(page, "Bart", "bart@degraaf-interieur.example");
      await dialog.getByLabel(/^(Klantnummer|Customer number)/).fill("204999");
      await page.keyboard.press("Enter");
      await dialog.getByRole("alert").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: /^(Nieuw contact|New contact)$/ }).click();
      await page.keyboard.press("End");
      await page.getByRole("dialog").getByRole("button", { name: /^(Toevoegen|Add)$/ }).click();
      await page.getByRole("dialog").getByRole("alert").waitFor();
      await page.waitForTimeout(300);
    },
  },
  "contact-write": {
    path: "/contacts",
    act: async (page) => {
      await page.getByRole("link", { name: /Bartholomeus/ }).click();
      await page.getByRole("button", { name: /^(Bericht schrijven aan|Write a message to) administratie/ }).click();
      await page.locator('input[maxlength="500"]').fill("Uw offerte");
      await page.waitForTimeout(900);
    },
    // The made-up API keeps the draft: the next new mail begins without it.
    after: async (page) => {
      await page.goto(new URL("/settings", page.url()).href);
      await page.waitForTimeout(300);
      await page.evaluate(async () => {
        const { items } = await (await fetch("/api/v1/drafts/mail")).json();
        await fetch("/api/v1/drafts/mail", { method: "PATCH", headers: { "content-type": "application/json", "X-Belofte": "1" }, body: JSON.stringify({ version: items[0]?.version ?? 0, content: null }) });
      });
    },
  },
  "contacts-sideways": {
    path: "/contacts",
    sizes: ["wide"],
    act: async (page) => {
      await page.getByRole("link", { name: /Bartholomeus/ }).waitFor();
      const kept = await page.evaluate(() => localStorage.getItem("belofte.contacts"));
      await page.getByRole("button", { name: /^(Kolommen|Columns)$/ }).click();
      for (const one of await page.getByRole("menuitemcheckbox").all()) if ((await one.getAttribute("aria-checked")) !== "true") await one.click();
      await page.keyboard.press("Escape");
      await page.waitForTimeout(400);
      await page.getByRole("table").hover();
      await page.mouse.wheel(220, 0);
      await page.waitForTimeout(400);
      // The other pictures have their own columns.
      await page.evaluate((was) => (was ? localStorage.setItem("belofte.contacts", was) : localStorage.removeItem("belofte.contacts")), kept);
    },
  },
  "contacts-looking": {
    path: "/contacts",
    before: (page) =>
      page.route(api("/contacts/search"), async (route) => {
        // The first page ends early, and the next one takes its time.
        if (route.request().postDataJSON().cursor) return;
        const { items } = await (await route.fetch()).json();
        await json({ items: items.slice(0, 6), next_cursor: items[5].id, looked_at: 20_000 })(route);
      }),
    act: (page) => page.getByText(/(er wordt verder gezocht|going on)/).waitFor(),
  },
  "contacts-changed": {
    path: "/contacts",
    act: async (page) => {
      await page.locator("#search-field").fill("a");
      await page.waitForTimeout(700);
      await page.evaluate(async () => {
        const [, id] = /contacts\/([^/]+)/.exec(document.querySelector("[data-row]").getAttribute("href"));
        const { name } = await (await fetch(`/api/v1/contacts/${id}`)).json();
        await fetch(`/api/v1/contacts/${id}`, { method: "PATCH", headers: { "content-type": "application/json", "X-Belofte": "1" }, body: JSON.stringify({ name }) });
      });
      await page.getByText(/^(Intussen gewijzigd|Changed meanwhile)/).waitFor();
      await page.waitForTimeout(300);
    },
  },
  "contacts-export": {
    path: "/contacts",
    act: async (page) => {
      await contactColumns(page);
      await page.getByRole("button", { name: /^(Exporteren|Export)…$/ }).click();
      await page.getByRole("dialog").waitFor();
      await page.waitForTimeout(400);
    },
  },
  "contacts-empty": {
    path: "/contacts",
    before: (page) => page.route(api("/contacts/search"), json({ items: [], looked_at: 0, total: 0 })),
    act: (page) => page.getByText(/^(Nog geen contacten|No contacts yet)$/).waitFor(),
  },
  "contacts-nobody": {
    path: "/contacts",
    act: async (page) => {
      await page.locator("#search-field").fill("zeppelin");
      await page.waitForTimeout(700);
    },
  },
  "contact-gone": { path: "/contacts/01a20110-3f12-7d16-8a1d-92ee566f8c15" },
  macros: {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.keyboard.press("i");
      await page.getByRole("dialog").getByText(/Marieke,/).waitFor();
    },
  },
  "macro-gone": {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.keyboard.press("i");
      await page.getByRole("combobox").fill("tom");
      await page.getByRole("alert").waitFor();
    },
  },
  "macro-open": {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.keyboard.press("r");
      await page.keyboard.type("Beste {{contact.nick}}, ");
      await page.keyboard.press("Control+Enter");
      await page.getByRole("alert").waitFor();
    },
  },
  "settings-macros": { path: "/settings/macros" },
  "macro-editor": {
    path: "/settings/macros",
    act: async (page) => {
      await page.getByRole("button", { name: /Retour aanmelden (bewerken|)|Edit Retour/ }).first().click();
      await page.getByRole("textbox", { name: /Nederlands|Dutch/ }).waitFor();
    },
  },
  palette: {
    path: "/inbox/mine",
    act: async (page) => {
      await page.keyboard.press("Control+k");
      await page.waitForTimeout(200);
      await page.keyboard.type("in");
      await page.waitForTimeout(400);
    },
  },
  help: {
    path: "/inbox/mine",
    sizes: ["wide"],
    act: async (page) => {
      await page.keyboard.press("?");
      await page.waitForTimeout(300);
    },
  },
  "inbox-empty": { path: "/inbox/mine", before: empty },
  "inbox-loading": { path: "/inbox/open", before: silent(api("/conversations\\?")) },
  "inbox-error": { path: "/inbox/open", before: problem(500, "internal", BROKEN), act: (page) => page.waitForTimeout(300) },
  "inbox-slow": {
    path: "/inbox/open",
    before: silent(api("/conversations\\?")),
    act: (page) => page.getByText(/^(De server antwoordt traag|The server is slow)/).waitFor(),
  },
  "sign-in-again": {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.route(api("/session$"), (route) => (route.request().method() === "GET" ? json({}, 401)(route) : route.continue()));
      await page.route(api("/users$"), json({ type: "/errors/not_signed_in", title: "", status: 401, code: "not_signed_in" }, 401));
      await page.getByRole("button", { name: /^(Toegewezen aan|Assigned to)/ }).click();
      await page.getByRole("heading", { name: /^(Meld u opnieuw aan|Sign in again)$/ }).waitFor();
    },
  },
  "inbox-many": {
    path: "/inbox/open",
    act: async (page) => {
      await page.locator("ul").first().hover();
      await page.mouse.wheel(0, 3000);
      await page.waitForTimeout(500);
    },
  },
  "inbox-lost": {
    path: "/inbox/open",
    before: (page) => page.routeWebSocket(/\/live/, (socket) => socket.close()),
    act: (page) => page.waitForTimeout(1400),
  },
  undo: {
    path: "/inbox/mine",
    act: async (page, size) => {
      await openRow("Oliver")(page);
      await page.getByRole("button", { name: /^(Oplossen|Resolve)$/ }).click();
      await page.waitForTimeout(size === "phone" ? 500 : 300);
    },
    // The made-up API keeps what was done: it is undone for the next picture.
    after: (page) => page.getByRole("button", { name: /^(Ongedaan maken|Undo)$/ }).first().click().then(() => page.waitForTimeout(300)),
  },
  "thread-long": { path: "/inbox/open", act: openRow("Pieter-Jan") },
  "thread-loading": {
    path: "/inbox/mine",
    before: silent(api("/conversations/[0-9a-f-]{36}/messages")),
    act: openRow("Marieke"),
  },
  "thread-gone": {
    path: "/inbox/open/01a20110-3f12-7d16-8a1d-92ee566f8c15",
  },
  "status-menu": {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.getByRole("button", { name: /^Status/ }).click();
    },
  },
  snoozed: { path: "/inbox/snoozed" },
  selected: {
    path: "/inbox/open",
    act: async (page) => {
      const boxes = page.getByRole("checkbox");
      for (const at of [0, 1, 3]) await boxes.nth(at).click();
      await page.waitForTimeout(400);
    },
  },
  "selected-tags": {
    path: "/inbox/open",
    act: async (page) => {
      for (const at of [0, 2]) await page.getByRole("checkbox").nth(at).click();
      await page.getByRole("button", { name: /^(Labels wijzigen|Change tags)$/ }).first().click();
      await page.waitForTimeout(400);
    },
  },
  "bulk-undo": {
    path: "/inbox/open",
    act: async (page) => {
      for (const at of [4, 5]) await page.getByRole("checkbox").nth(at).click();
      await page.getByRole("toolbar").getByRole("button", { name: /^(Oplossen|Resolve)$/ }).click();
      await page.waitForTimeout(500);
    },
    after: (page) => page.getByRole("button", { name: /^(Ongedaan maken|Undo)$/ }).first().click().then(() => page.waitForTimeout(300)),
  },
  "tag-picker": {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.getByRole("main").getByRole("button", { name: /^(Labels wijzigen|Change tags)$/ }).click();
      await page.waitForTimeout(300);
      await page.keyboard.type("re");
    },
  },
  "snooze-menu": {
    path: "/inbox/mine",
    act: async (page) => {
      await openRow("Marieke")(page);
      await page.getByRole("main").getByRole("button", { name: /^(Uitstellen|Snooze)$/ }).click();
      await page.waitForTimeout(300);
    },
  },
  "views-menu": {
    path: "/inbox/open",
    act: async (page) => {
      await page.getByRole("button", { name: /^(Meer weergaven|More views)$/ }).click();
      await page.waitForTimeout(300);
    },
  },
  "view-new": {
    path: "/inbox/open",
    act: async (page) => {
      await page.getByRole("button", { name: /^(Meer weergaven|More views)$/ }).click();
      await page.getByRole("menuitem", { name: /^(Nieuwe weergave|New view)/ }).click();
      await page.waitForTimeout(400);
    },
  },
  "view-saved": {
    path: "/inbox/open",
    act: async (page) => {
      await page.getByRole("button", { name: /^(Meer weergaven|More views)$/ }).click();
      await page.getByRole("menuitem", { name: "Spoed en open" }).click();
      await page.waitForTimeout(500);
    },
  },
  "view-gone": { path: "/inbox/01a20110-3f12-7d16-8a1d-92ee566f8c15" },
  "notification-settings": { path: "/settings/notifications" },
  tags: { path: "/settings/tags" },
  "tags-edit": {
    path: "/settings/tags",
    act: async (page) => {
      await page.getByRole("button", { name: /(Label Retour wijzigen|Change the tag Retour)/ }).click();
      await page.waitForTimeout(200);
    },
  },
  "tags-empty": { path: "/settings/tags", before: (page) => page.route(api("/tags$"), json({ items: [] })) },
  "search-start": { path: "/search" },
  "search-nothing": {
    path: "/search",
    act: async (page) => {
      await page.locator("#search-field").fill("zeppelin");
      await page.waitForTimeout(600);
    },
  },
  menu: {
    path: "/inbox/mine",
    act: async (page) => {
      await page.getByRole("button", { name: /Sanne de Wit/ }).last().click();
    },
  },
  "users-forbidden": {
    path: "/settings/users",
    act: async (page) => {
      await role("agent")(page);
      await page.reload();
      await page.waitForTimeout(500);
    },
    after: role("admin"),
  },
  "users-invited": {
    path: "/settings/users",
    act: async (page) => {
      await page.getByRole("button", { name: /^(Uitnodiging maken|Create invitation)$/ }).click();
      await page.waitForTimeout(300);
    },
  },
  "channel-edit": {
    path: "/settings/channels",
    act: async (page) => {
      await page.getByRole("link", { name: /service@/ }).first().click();
      await page.waitForTimeout(400);
    },
  },
  "channel-provider": {
    path: "/settings/channels",
    act: async (page) => {
      await page.getByRole("link", { name: /verhuur@/ }).first().click();
      await page.waitForTimeout(400);
      await page.getByRole("heading", { name: /^(Toestemming van de aanbieder|Permission from the provider)$/ }).scrollIntoViewIfNeeded();
    },
  },
  authorised: { path: "/settings/authorised?error=access_denied&state=x" },
  "channels-empty": { path: "/settings/channels", before: (page) => page.route(api("/channel-accounts$"), json({ items: [] })) },
  "mail-empty": { path: "/settings/mail", before: (page) => page.route(api("/quarantine"), json({ items: [] })) },
  "dead-letters-empty": { path: "/settings/dead-letters", before: (page) => page.route(api("/dead-letters"), json({ items: [] })) },
  "not-found": { path: "/nergens" },
  profile: { path: "/settings/profile" },
  settings: { path: "/settings" },
  sessions: { path: "/settings/sessions" },
  "second-factor": { path: "/settings/second-factor" },
  "second-factor-set-up": {
    path: "/settings/second-factor",
    act: async (page) => {
      await page.getByRole("button", { name: /^(Instellen|Set up)$/ }).click();
      await page.getByRole("img", { name: /QR/ }).waitFor();
    },
  },
  queues: { path: "/settings/queues" },
  queue: { path: "/settings/queues", act: (page) => page.getByRole("link", { name: "Klantenservice", exact: true }).click() },
  "queue-holidays": {
    path: "/settings/queues",
    act: async (page) => {
      await page.getByRole("link", { name: "Klantenservice", exact: true }).click();
      await page.getByText(/^(Andere dagen|Other days)$/).scrollIntoViewIfNeeded();
    },
  },
  teams: { path: "/settings/teams" },
  "team-edit": { path: "/settings/teams", act: (page) => page.getByRole("button", { name: /Balie/ }).first().click() },
  fields: { path: "/settings/fields" },
  "fields-empty": { path: "/settings/fields", before: (page) => page.route(api("/fields$"), json({ items: [] })) },
  "field-new": { path: "/settings/fields/new" },
  "field-kind": {
    path: "/settings/fields",
    act: async (page) => {
      await page.getByRole("link", { name: /^(Klantnummer|Customer number)$/ }).click();
      await page.getByLabel(/^(Soort|Kind)$/).selectOption("integer");
      await page.waitForTimeout(400);
    },
  },
  "field-options": { path: "/settings/fields", act: (page) => page.getByRole("link", { name: /^(Onderdeel|Part)$/ }).click() },
  "field-signed": {
    path: "/settings/fields",
    act: async (page) => {
      await page.getByRole("link", { name: /^(BSN|National number)$/ }).click();
      await page.getByLabel(/^(Grondslag in de wet|Legal basis)$/).scrollIntoViewIfNeeded();
    },
  },
  "fields-fill": {
    path: "/inbox/open",
    act: async (page) => {
      await page.getByRole("listitem").locator("[data-row]").first().click();
      await page.waitForTimeout(700);
      const pencil = page.getByRole("button", { name: /^(Gegevens van de klant invullen|Fill in about the customer)$/ });
      // On a phone the panel lies behind its button.
      if (!(await pencil.isVisible())) await page.getByRole("button", { name: /^(Zijpaneel tonen|Show side panel)$/ }).click();
      await pencil.click();
    },
  },
  push: { path: "/settings/push" },
  users: { path: "/settings/users" },
  channels: { path: "/settings/channels" },
  channel: {
    path: "/settings/channels/new",
    act: async (page) => {
      await page.locator("input[name=address]").fill("hulp@noorderlicht.example");
      await page.locator("input[name=from_name]").fill("Hulp van Noorderlicht");
      await page.locator("input[name=host]").fill("smtp.noorderlicht.example");
      await page.locator("input[name=username]").fill("hulp");
      await page.locator("button[data-test]").click();
      await page.waitForTimeout(1800);
    },
  },
  mail: { path: "/settings/mail" },
  signing: { path: "/settings/signing" },
  "api-keys": { path: "/settings/api-keys" },
  "dead-letters": { path: "/settings/dead-letters" },
  ledger: { path: "/privacy" },
  invitation: { path: "/invitation#h7Qd2nVb" },
  "invitation-used": { path: "/invitation#h7Qd2nVb", before: problem(410, "invitation_invalid", USED, { path: api("/invitations/look") }) },
  "sign-in": { path: "/sign-in" },
  "sign-in-wrong": { path: "/sign-in", before: problem(401, "sign_in_failed", WRONG, { path: api("/session$") }), act: trySignIn },
  "sign-in-locked": {
    path: "/sign-in",
    before: problem(429, "too_many_tries", LOCKED, { path: api("/session$"), retry_after_s: 840 }),
    act: trySignIn,
  },
};
