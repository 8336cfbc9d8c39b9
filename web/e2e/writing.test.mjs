// SPDX-License-Identifier: EUPL-1.2
// Writing mail, in Chromium on the built server: to all, in copy and in blind copy, passed on with its
// files, with files that are dropped and pasted, and mail that begins a conversation. The tests follow each other.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { watched } from "./support/api.mjs";
import { accept, launch, window } from "./support/browser.mjs";
import { startHouse, until } from "./support/house.mjs";
import { mail, send, startSubmission } from "./support/mail.mjs";

const BOX = "hulp@winkel.example";
const FILE =
  'Content-Type: multipart/mixed; boundary="grens"\r\n\r\n--grens\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n' +
  "De slang lekt, zie de foto.\r\n--grens\r\nContent-Type: text/plain; name=\"slang.txt\"\r\n" +
  "Content-Disposition: attachment; filename=\"slang.txt\"\r\n\r\nHier lekt het.\r\n--grens--";
let house;
let post;
let browser;
let sanne;

before(async () => {
  browser = await launch();
  post = await startSubmission();
  house = await startHouse();
  sanne = await window(browser);
  const { page } = sanne;
  await accept(page, house.invitation, "Sanne de Vries", "sanne@winkel.example");
  await page.goto(`${house.url}/settings/channels/new`);
  await page.getByLabel("E-mail address").fill(BOX);
  await page.getByLabel("Sender’s name").fill("Winkel klantenservice");
  await page.getByLabel("Signature").fill("Kind regards,\n{name}");
  await page.getByLabel("Security").selectOption("none");
  await page.getByLabel("Server", { exact: true }).fill("127.0.0.1");
  await page.getByLabel("Port").fill(String(post.port));
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText(BOX).first().waitFor();
});

after(async () => {
  await browser?.close();
  await post?.close();
  await house?.close();
});

const test = watched(() => [sanne]);

const row = (page, text) => page.getByRole("listitem").filter({ hasText: text }).getByRole("link").first();
const people = (page, name) => page.getByRole("combobox", { name, exact: true });
const sent = (address, words) =>
  until(`the mail to ${address}`, () => post.mails.find((one) => one.to.includes(address) && one.text.includes(words)));

async function open(page, subject) {
  await page.goto(`${house.url}/inbox/open`);
  await row(page, subject).click();
  await page.getByRole("heading", { name: subject }).waitFor();
}

test("a reply to all goes to everybody but oneself, with a copy that nobody knows of", async () => {
  const { page } = sanne;
  await send(house.smtp, BOX, mail("Lotte Visser", "lotte@klant.example", "Slang lekt", "", `Cc: Piet <piet@klant.example>, ${BOX}\r\n`).replace(/Content-Type: text\/plain[\s\S]*$/, `MIME-Version: 1.0\r\n${FILE}`));
  await open(page, "Slang lekt");
  await page.getByRole("log", { name: "Messages" }).getByText("De slang lekt").first().waitFor();
  await page.keyboard.press("Shift+R");
  await page.keyboard.type("We look into it.");
  await page.getByText("Kind regards,").waitFor();
  await page.getByRole("button", { name: /^To Lotte Visser · Cc Piet/ }).click();
  await page.getByRole("button", { name: "Add Bcc: nobody else sees them" }).click();
  const bcc = people(page, "Bcc");
  await bcc.fill("niet goed");
  await bcc.press("Enter");
  await page.getByText("niet goed is not an e-mail address.").waitFor();
  assert.ok(await page.getByRole("button", { name: "Send", exact: true }).isDisabled(), "nobody is left out in silence");
  await bcc.press("Backspace");
  await bcc.fill("Kees <kees@klant.example>, ");
  await page.getByRole("button", { name: "Remove Kees" }).waitFor();
  await page.keyboard.press("Control+Enter");
  await page.getByText(/Handed to/).first().waitFor();
  const { to, text } = await sent("lotte@klant.example", "We look into it.");
  assert.deepEqual([...to].sort(), ["kees@klant.example", "lotte@klant.example", "piet@klant.example"]);
  assert.match(text, /^Cc: .*piet@klant\.example/m);
  assert.doesNotMatch(text, /kees/i);
  assert.match(text, /We look into it\.\r\n\r\nKind regards,\r\nSanne de Vries/);
  // The agent sees whom it went to, and that nobody else does.
  await page.getByText(/to Lotte Visser · Cc Piet · Bcc Kees/).waitFor();
});

test("a message is passed on with its files, to somebody who is known", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/inbox/waiting`);
  await row(page, "Slang lekt").click();
  await page.getByRole("log", { name: "Messages" }).getByText("De slang lekt").first().waitFor();
  await page.keyboard.press("f");
  await until("the cursor in To", () => people(page, "To").evaluate((one) => one === document.activeElement));
  await page.keyboard.type("lot");
  await page.getByRole("option", { name: /Lotte Visser/ }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Remove Lotte Visser" }).waitFor();
  await page.keyboard.press("Backspace");
  await page.keyboard.type("monteur@slangen.example,");
  await page.getByRole("button", { name: "Remove slang.txt" }).waitFor();
  await page.getByRole("textbox", { name: "Text of the forwarded message" }).fill("Can you have a look?");
  await page.keyboard.press("Control+Enter");
  const { to, text } = await sent("monteur@slangen.example", "Can you have a look?");
  assert.deepEqual(to, ["monteur@slangen.example"]);
  assert.match(text, /^Subject: Fwd: Slang lekt/m);
  assert.match(text, /Forwarded message[\s\S]*From: Lotte Visser <lotte@klant\.example>[\s\S]*De slang lekt/);
  assert.match(text, /filename="?slang\.txt/);
});

test("formatted text goes out with a text that says the same, and with its picture", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/inbox/waiting`);
  await row(page, "Slang lekt").click();
  await page.getByRole("log", { name: "Messages" }).getByText("De slang lekt").first().waitFor();
  await page.keyboard.press("r");
  await page.keyboard.type("Steps:");
  await page.getByRole("button", { name: "Formatting" }).click();
  const field = page.getByRole("textbox", { name: "Text of the reply" });
  await page.getByRole("toolbar", { name: "Formatting" }).waitFor();
  await field.press("Control+End");
  await field.press("Enter");
  await page.getByRole("button", { name: "Numbered list" }).click();
  await page.keyboard.type("close the tap");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+b");
  await page.keyboard.type("call us");
  // A picture that is pasted stands where the cursor is.
  await field.evaluate((element) => {
    const bytes = Uint8Array.from(atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="), (one) => one.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "tap.png", { type: "image/png" }));
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await field.locator("img[alt='tap.png']").waitFor();
  assert.equal(await page.getByRole("button", { name: "Remove tap.png" }).count(), 0, "it stands in the text alone");
  await field.press("Control+Enter");
  const { text } = await sent("lotte@klant.example", "call us");
  assert.match(text, /Steps:\r\n\r\n1\. close the tap\r\n2\. call us/);
  assert.match(text, /multipart\/related/);
  assert.match(text, /Content-ID: <[\w-]{36}@inline>/);
  await page.frameLocator("iframe").last().getByText("close the tap").waitFor();
});

test("a message is taken back, and its words and files return to where they were written", async () => {
  const { page } = sanne;
  await page.evaluate(() => localStorage.setItem("belofte.undo", "20"));
  await page.goto(`${house.url}/inbox/waiting`);
  await row(page, "Slang lekt").click();
  await page.getByRole("log", { name: "Messages" }).getByText("De slang lekt").first().waitFor();
  await page.keyboard.press("r");
  await page.keyboard.type("Written too early.");
  await page.locator('input[type="file"]').setInputFiles({ name: "bon.txt", mimeType: "text/plain", buffer: Buffer.from("bon") });
  await page.getByRole("button", { name: "Remove bon.txt" }).waitFor();
  await page.keyboard.press("Control+Enter");
  await page.getByText("Goes to Lotte Visser in a moment").waitFor();
  await page.getByRole("region", { name: "Notices" }).getByRole("button", { name: "Undo" }).click();
  await page.getByText("Taken back: nobody received it").waitFor();
  const field = page.getByRole("textbox", { name: "Text of the reply" });
  await until("the words", async () => (await field.inputValue()) === "Written too early.");
  await page.getByRole("button", { name: "Remove bon.txt" }).waitFor();
  await until("no message", async () => (await page.getByText("Goes to Lotte Visser in a moment").count()) === 0);
  assert.ok(!post.mails.some((one) => one.text.includes("Written too early.")));
  await page.evaluate(() => localStorage.setItem("belofte.undo", "0"));
  await field.fill("Written in time.");
  await page.keyboard.press("Control+Enter");
  const { text } = await sent("lotte@klant.example", "Written in time.");
  assert.match(text, /filename="?bon\.txt/);
  assert.ok(!post.mails.some((one) => one.text.includes("Written too early.")));
});

test("a mail begins a conversation that waits and is its writer's", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/inbox/mine`);
  await page.getByRole("link", { name: "New message" }).waitFor();
  await page.keyboard.press("c");
  await page.waitForURL(/\/inbox\/mine\/new$/);
  await until("the cursor in To", () => people(page, "To").evaluate((one) => one === document.activeElement));
  await page.keyboard.type("Ruben Smit <ruben@klant.example>,");
  await page.getByLabel("Subject").fill("Your appointment");
  await page.getByRole("textbox", { name: "Text of the message" }).fill("Does Tuesday suit you?");
  // What is written stays when the page is opened again.
  await page.reload();
  await page.getByRole("button", { name: "Remove Ruben Smit" }).waitFor();
  assert.equal(await page.getByLabel("Subject").inputValue(), "Your appointment");
  await page.getByRole("textbox", { name: "Text of the message" }).press("Control+Enter");
  await page.waitForURL(/\/inbox\/waiting\/[\w-]{36}$/);
  await page.getByRole("heading", { name: "Your appointment" }).waitFor();
  await page.getByRole("button", { name: /^Assigned to Sanne de Vries/ }).waitFor();
  const { text } = await sent("ruben@klant.example", "Does Tuesday suit you?");
  assert.match(text, /^To: .*Ruben Smit.*<ruben@klant\.example>/m);
  await page.goto(`${house.url}/inbox/mine/new`);
  await until("an empty page", async () => (await page.getByLabel("Subject").inputValue()) === "");
});

test("a file that is dropped on the reply and a picture that is pasted into it go along", async () => {
  const { page } = sanne;
  await page.goto(`${house.url}/inbox/waiting`);
  await row(page, "Slang lekt").click();
  await page.getByRole("log", { name: "Messages" }).getByText("De slang lekt").first().waitFor();
  const field = page.getByRole("textbox", { name: "Text of the reply" });
  await field.fill("Both are here.");
  const files = page.getByRole("list", { name: "Attachments to this message" });
  const there = async (name) => {
    await files.getByRole("button", { name: `Remove ${name}` }).waitFor();
    await until(`${name} to have come`, async () => (await files.getByRole("progressbar").count()) === 0);
    assert.equal(await files.getByRole("alert").count(), 0);
  };
  /** What a browser does where a hand drags something: nothing is dropped where nobody takes what hangs over it. */
  const drag = (what, data) =>
    field.evaluate(
      (element, [type, dataTransfer]) => !element.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true })),
      [what, data],
    );
  const words = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.setData("text/plain", "words");
    return data;
  });
  assert.equal(await drag("dragover", words), false, "words are left to the field");
  const data = await page.evaluateHandle(() => {
    const all = new DataTransfer();
    all.items.add(new File(["Maat 12"], "maten.txt", { type: "text/plain" }));
    all.items.add(new File(["Groen"], "kleuren.txt", { type: "text/plain" }));
    return all;
  });
  assert.equal(await drag("dragover", data), true, "files are taken");
  await page.getByText("Drop to attach").waitFor();
  assert.equal(await drag("drop", data), true, "the page is not left for the file");
  await page.getByText("Drop to attach").waitFor({ state: "detached" });
  await there("maten.txt");
  await there("kleuren.txt");

  const pasted = await field.evaluate((element) => {
    const bytes = Uint8Array.from(atob("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="), (one) => one.charCodeAt(0));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([bytes], "scherm.png", { type: "image/png" }));
    return !element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  });
  assert.equal(pasted, true, "the picture is taken");
  await there("scherm.png");
  assert.equal(await field.inputValue(), "Both are here.");
  await field.press("Control+Enter");
  const { text } = await sent("lotte@klant.example", "Both are here.");
  for (const name of ["maten", "kleuren"]) assert.match(text, new RegExp(`filename="?${name}\\.txt`));
  assert.match(text, /Content-Type: image\/png/i);
  assert.match(text, /filename="?scherm\.png/);
  await files.waitFor({ state: "detached" });
});

test("who wrote by a form is answered where they want it, and a report of the mail system is answered by nobody", async () => {
  const { page } = sanne;
  const form = "Auto-Submitted: auto-generated\r\nReply-To: Hanna Prins <hanna@klant.example>\r\n";
  await send(house.smtp, BOX, mail("Website", "formulier@winkel.example", "Formulier 12", "Wanneer komt u?", form));
  await open(page, "Formulier 12");
  await page.getByRole("button", { name: "To Hanna Prins", exact: true }).waitFor();
  await page.keyboard.press("r");
  await page.keyboard.type("On Tuesday.");
  await page.keyboard.press("Control+Enter");
  assert.deepEqual((await sent("hanna@klant.example", "On Tuesday.")).to, ["hanna@klant.example"]);

  const report =
    "From: MAILER-DAEMON@post.example\r\nTo: hulp@winkel.example\r\nSubject: Niet bezorgd 12\r\nAuto-Submitted: auto-replied\r\n" +
    "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=grens\r\n\r\n" +
    "--grens\r\n\r\nEr ging iets mis.\r\n--grens\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; post.example\r\n\r\n" +
    "Final-Recipient: rfc822; piet@klant.example\r\nAction: failed\r\nStatus: 5.1.1\r\n--grens--\r\n";
  await send(house.smtp, BOX, report);
  await open(page, "Niet bezorgd 12");
  await page.getByRole("log", { name: "Messages" }).getByText("Er ging iets mis.").first().waitFor();
  await page.keyboard.press("Shift+R");
  await page.keyboard.type("To whom?");
  await people(page, "To").waitFor();
  const button = page.getByRole("button", { name: "Send", exact: true });
  assert.ok(await button.isDisabled(), "nobody is suggested, and so nothing can be sent yet");
  assert.equal(await page.getByRole("button", { name: /^Remove/ }).count(), 0);
  await people(page, "To").fill("piet@klant.example, ");
  await page.getByRole("button", { name: "Remove piet@klant.example" }).waitFor();
  await button.click();
  assert.deepEqual((await sent("piet@klant.example", "To whom?")).to, ["piet@klant.example"]);
  assert.equal(post.mails.filter((one) => one.to.some((address) => /mailer-daemon/i.test(address))).length, 0);
});
