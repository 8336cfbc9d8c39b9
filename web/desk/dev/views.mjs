// SPDX-License-Identifier: EUPL-1.2
// The views that are photographed, with what is done before.

const openRow = (text) => async (page) => {
  await page.getByRole("link", { name: new RegExp(text) }).first().click();
  await page.waitForTimeout(700);
};

export const views = {
  inbox: { path: "/inbox/open" },
  thread: { path: "/inbox/mine", act: openRow("Marieke") },
  html: { path: "/inbox/unassigned", act: openRow("Fenna") },
  quoted: { path: "/inbox/mine", act: openRow("Oliver") },
  deliveries: { path: "/inbox/waiting", act: openRow("Aoife") },
  note: {
    path: "/inbox/mine",
    act: async (page, size) => {
      await openRow("Marieke")(page);
      await page.getByRole("button", { name: /^(Notitie|Note)$/ }).click();
      await page.locator("textarea").fill("Monteurs nemen de verpakking mee, afgesproken met Zwolle.");
      if (size === "phone") await page.locator("textarea").blur();
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
  profile: { path: "/settings/profile" },
  settings: { path: "/settings" },
  sessions: { path: "/settings/sessions" },
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
  "api-keys": { path: "/settings/api-keys" },
  "dead-letters": { path: "/settings/dead-letters" },
  ledger: { path: "/privacy" },
  invitation: { path: "/invitation#h7Qd2nVb" },
  "sign-in": { path: "/sign-in" },
};
