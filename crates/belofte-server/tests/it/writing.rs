// SPDX-License-Identifier: EUPL-1.2
//! Writing mail over HTTP, to a submission server that keeps what it is given: several recipients,
//! copies that nobody knows of, passing on, mail that begins a conversation, another sender.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::client::Client;
use crate::support::inbox::{DESK, account, receive, text, until_listed};
use crate::support::post::post;
use crate::support::server::{Server, on_both_engines};
use crate::support::sink::{Handed, Sink};
use crate::support::swaks::swaks;
use crate::support::wait;

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().expect("items")
}

/// The mails that `sink` has, as soon as there are so many.
fn handed(sink: &Sink, count: usize) -> Vec<Handed> {
    wait::until(&format!("{count} mails"), Duration::from_secs(20), || {
        let all = sink.handed();
        (all.len() >= count).then_some(all)
    })
}

fn field<'a>(header: &'a [String], name: &str) -> Option<&'a str> {
    let field = header.iter().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    field.map(str::trim)
}

fn until_sent(client: &Client, conversation: &str, count: usize) {
    let path = format!("/conversations/{conversation}/messages");
    wait::until("the deliveries", Duration::from_secs(20), || {
        let page = client.get(&path).expect(200);
        let all =
            items(&page).iter().flat_map(|message| message["deliveries"].as_array().expect("deliveries"));
        (all.filter(|delivery| delivery["state"] == "sent").count() >= count).then_some(())
    });
}

on_both_engines!(a_blind_copy_is_known_to_the_agent_alone, |engine| {
    let sink = Sink::start();
    let server = Server::start(engine);
    account(&server, Some(sink.port));
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (agent, id) = (server.join("agent"), text(&row, "id").to_owned());
    let path = format!("/conversations/{id}/messages");
    let reply = json!({
        "kind": "reply", "text": "Dat klopt.",
        "to": ["Jansen, Jan <jan@klant.example>", "piet@münchen.example"],
        "cc": ["Els <els@klant.example>", "JAN@klant.example"],
        "bcc": ["Kees <kees@klant.example>"],
    });
    let told = agent.post(&path, reply).expect(201);
    until_sent(&agent, &id, 4);
    let mails = handed(&sink, 1);
    assert_eq!(mails.len(), 1, "one mail for all");
    let (header, data) = (mails[0].header(), &mails[0].data);
    let mut recipients = mails[0].recipients.clone();
    recipients.sort_unstable();
    let all = [
        "<els@klant.example>",
        "<jan@klant.example>",
        "<kees@klant.example>",
        "<piet@xn--mnchen-3ya.example>",
    ];
    assert_eq!(recipients, all);
    assert!(!data.to_lowercase().contains("kees") && !data.to_lowercase().contains("bcc"), "{data}");
    let to = field(&header, "To").expect("To");
    assert!(
        to.contains("\"Jansen, Jan\" <jan@klant.example>") && to.contains("piet@xn--mnchen-3ya.example"),
        "{to}"
    );
    let cc = field(&header, "Cc").expect("Cc");
    assert!(cc.contains("els@klant.example") && !cc.to_lowercase().contains("jan@"), "named once: {cc}");
    let mut roles: Vec<_> =
        told["deliveries"].as_array().expect("deliveries").iter().map(|one| text(one, "role")).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["bcc", "cc", "to", "to"]);
    assert_eq!(told["cc"], json!([{ "name": "Els", "address": "els@klant.example" }]));
    let open = agent.get(&format!("/conversations/{id}")).expect(200);
    assert!(!open["participants"].to_string().contains("kees"), "{open}");
});

on_both_engines!(what_strangers_put_into_fields_stays_in_them, |engine| {
    let sink = Sink::start();
    let server = Server::start(engine);
    let info = account(&server, Some(sink.port));
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (agent, id) = (server.join("agent"), text(&row, "id").to_owned());
    let path = format!("/conversations/{id}/messages");
    let many: Vec<String> = (0..51).map(|n| format!("k{n}@klant.example")).collect();
    let reply = |more: Value| {
        let mut body = json!({ "kind": "reply", "text": "Dag." });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    agent.post(&path, reply(json!({ "to": many }))).fields(&["to: too_long"]);
    agent
        .post(&path, reply(json!({ "to": many[..30], "cc": many[30..], "bcc": ["x@klant.example"] })))
        .fields(&["cc: too_long"]);
    agent
        .post(&path, reply(json!({ "to": ["jan@klant.example\r\nBcc: x@klant.example"] })))
        .fields(&["to[0]: invalid"]);
    agent
        .post(&path, reply(json!({ "to": ["jan@a..b@c <>"], "bcc": ["zonder apenstaart"] })))
        .fields(&["bcc[0]: invalid", "to[0]: invalid"]);
    agent.post(&path, reply(json!({ "answers_id": Uuid::from_u128(7) }))).fields(&["answers_id: not_found"]);
    agent.post(&path, reply(json!({ "account_id": Uuid::from_u128(7) }))).fields(&["account_id: not_found"]);
    agent.post(&path, json!({ "kind": "forward", "text": "Zie." })).fields(&["to: required"]);
    agent
        .post(&path, json!({ "kind": "note", "text": "Zie.", "bcc": ["x@klant.example"] }))
        .fields(&["bcc: invalid"]);
    let other = receive(&server, "Els <els@klant.example>", "Iets anders", "Dag.", &[]);
    let foreign = agent.get(&format!("/conversations/{}/messages", text(&other, "id"))).expect(200);
    agent
        .post(&path, reply(json!({ "answers_id": items(&foreign)[0]["id"] })))
        .fields(&["answers_id: not_found"]);
    let mail = |subject: &str, to: &str| json!({ "account_id": info["id"], "to": [to], "subject": subject, "text": "Dag." });
    agent.post("/conversations", mail("", "x@klant.example")).fields(&["subject: required"]);
    agent.post("/conversations", mail("x", "x@")).fields(&["to[0]: invalid"]);
    let name = "Jan\r\nBcc: geheim@klant.example <jan@klant.example>";
    agent.post("/conversations", mail("x", name)).fields(&["to[0]: invalid"]);
    assert!(sink.handed().is_empty());
    let jan = "Jan <jan@klant.example>";
    let made = agent.post("/conversations", mail("Vraag\r\nX-Vals: ja", jan)).expect(201);
    assert_eq!(made["subject"], "Vraag X-Vals: ja");
    until_sent(&agent, text(&made, "conversation_id"), 1);
    let mails = handed(&sink, 1);
    let header = mails[0].header();
    assert!(header.iter().all(|line| !line.starts_with("Bcc") && !line.starts_with("X-Vals")), "{header:?}");
    assert_eq!(mails[0].recipients, ["<jan@klant.example>"]);
});

on_both_engines!(a_message_is_passed_on_with_its_files_and_the_customer_waits, |engine| {
    let sink = Sink::start();
    let server = Server::start(engine);
    account(&server, Some(sink.port));
    let folder = server.scratch().join("mail");
    std::fs::create_dir_all(&folder).expect("our own folder");
    std::fs::write(folder.join("lijst.txt"), "bloem en gist").expect("our own folder");
    let attached = format!("@{}", folder.join("lijst.txt").display());
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &["--attach", &attached]);
    let (agent, id) = (server.join("agent"), text(&row, "id").to_owned());
    let path = format!("/conversations/{id}/messages");
    let incoming = items(&agent.get(&path).expect(200))[0].clone();
    let file = &incoming["attachments"][0]["id"];
    let forward = json!({
        "kind": "forward", "text": "Weet u dit?", "to": ["piet@leverancier.example"],
        "answers_id": incoming["id"], "copied_attachment_ids": [file],
    });
    // Its file is nobody's upload, and nobody's upload is a file of a message.
    agent
        .post(&path, json!({ "kind": "reply", "text": "x", "attachment_ids": [file] }))
        .fields(&["attachment_ids[0]: not_found"]);
    let upload = agent.upload("/attachments", "kaart.txt", "text/plain", b"Hierheen").expect(201);
    agent
        .post(&path, json!({ "kind": "reply", "text": "x", "copied_attachment_ids": [upload["id"]] }))
        .fields(&["copied_attachment_ids[0]: not_found"]);
    let told = agent.post(&path, forward).expect(201);
    assert_eq!(told["subject"], "Fwd: Factuur");
    assert_eq!(told["attachments"][0]["name"], "lijst.txt");
    assert_ne!(told["attachments"][0]["id"], *file, "a copy of its own");
    until_sent(&agent, &id, 1);
    let mails = handed(&sink, 1);
    assert_eq!(mails[0].recipients, ["<piet@leverancier.example>"]);
    assert!(
        mails[0].data.contains("lijst.txt") && mails[0].data.contains("YmxvZW0gZW4gZ2lzd"),
        "{}",
        mails[0].data
    );
    let header = mails[0].header();
    assert!(field(&header, "In-Reply-To").is_none(), "its reader has nothing that came before");
    let case = agent.get(&format!("/conversations/{id}")).expect(200);
    assert!(case["status"] == "open" && case["waiting_since"] == row["waiting_since"], "{case}");
    // Whoever was asked answers into the same conversation.
    let reply_to =
        field(&header, "Reply-To").and_then(|field| field.split(['<', '>']).nth(1)).expect("an address");
    let sent =
        swaks(server.smtp, &["--from", "piet@leverancier.example", "--to", reply_to, "--body", "Ja hoor."]);
    assert!(sent.ok, "{}", sent.transcript);
    wait::until("the answer", Duration::from_secs(20), || {
        (agent.get(&format!("/conversations/{id}")).expect(200)["message_count"] == 3).then_some(())
    });
});

on_both_engines!(a_mail_begins_a_conversation_once_and_its_answer_joins_it, |engine| {
    let sink = Sink::start();
    let server = Server::start(engine);
    let info = account(&server, Some(sink.port));
    let agent = server.join("agent");
    let me = agent.get("/session").expect(200)["user"].clone();
    let mail = json!({
        "account_id": info["id"], "to": ["Jan Jansen <jan@klant.example>"], "cc": ["els@klant.example"],
        "bcc": ["kees@klant.example"], "subject": "Uw afspraak", "text": "Komt dinsdag u uit?",
    });
    let keyed = agent.with_header("idempotency-key", "nieuw-1");
    let made = keyed.post("/conversations", mail.clone()).expect(201);
    assert_eq!(keyed.post("/conversations", mail).expect(201), made);
    let id = text(&made, "conversation_id").to_owned();
    until_sent(&agent, &id, 3);
    let page = agent.get("/conversations?status=all").expect(200);
    assert_eq!(items(&page).len(), 1);
    let case = agent.get(&format!("/conversations/{id}")).expect(200);
    assert!(
        case["status"] == "waiting" && case["assignee"]["id"] == me["id"] && case["unread"] == false,
        "{case}"
    );
    assert_eq!(case["contact"]["name"], "Jan Jansen");
    let activity = agent.get(&format!("/conversations/{id}/activity")).expect(200);
    let told: Vec<_> =
        items(&activity).iter().map(|one| (text(one, "kind"), one["actor"]["name"].clone())).collect();
    assert!(told.contains(&("created", me["name"].clone())) && told.len() == 2, "{told:?}");

    let mails = handed(&sink, 1);
    assert_eq!(mails.len(), 1, "written once, sent once");
    assert_eq!(mails[0].recipients.len(), 3);
    let header = mails[0].header();
    assert_eq!(field(&header, "Subject"), Some("Uw afspraak"));
    let own = field(&header, "Message-ID").expect("an identifier");
    let answer = format!("In-Reply-To: {own}");
    let sent = swaks(
        server.smtp,
        &["--from", "jan@klant.example", "--to", DESK, "--header", &answer, "--body", "Ja."],
    );
    assert!(sent.ok, "{}", sent.transcript);
    wait::until("the answer", Duration::from_secs(20), || {
        let case = agent.get(&format!("/conversations/{id}")).expect(200);
        (case["message_count"] == 2 && case["status"] == "open").then_some(())
    });
    let found = agent.post("/search", json!({ "q": "dinsdag" })).expect(200);
    assert_eq!(found["items"][0]["conversation"]["id"], *id);
    // One more word to whom was written, before they answer: it goes to the same people.
    let more = json!({ "account_id": info["id"], "to": ["els@klant.example"], "subject": "Nog iets", "text": "Dag." });
    let second = agent.post("/conversations", more).expect(201);
    let path = format!("/conversations/{}/messages", text(&second, "conversation_id"));
    let again = json!({ "kind": "reply", "text": "En dit.", "answers_id": second["id"] });
    let again = agent.post(&path, again).expect(201);
    assert_eq!(again["to"], json!([{ "name": "", "address": "els@klant.example" }]));
    until_sent(&agent, text(&second, "conversation_id"), 2);
});

on_both_engines!(a_reply_goes_out_from_the_address_that_its_writer_chose, |engine| {
    let sink = Sink::start();
    let server = Server::start(engine);
    account(&server, Some(sink.port));
    let submission = json!({ "host": "127.0.0.1", "port": sink.port, "security": "none" });
    let other = json!({
        "kind": "email", "address": "verkoop@winkel.example", "from_name": "Verkoop", "submission": submission,
        "signature": " Groet,\n{name}\n{address} ",
    });
    let other = server.admin().post("/channel-accounts", other).expect(201);
    let silent = json!({ "kind": "email", "address": "stil@winkel.example", "from_name": "Stil" });
    let silent = server.admin().post("/channel-accounts", silent).expect(201);
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (agent, id) = (server.join("agent"), text(&row, "id").to_owned());

    let senders = agent.get("/senders").expect(200);
    let of = |address: &str| {
        items(&senders)
            .iter()
            .find(|one| one["address"] == address)
            .unwrap_or_else(|| panic!("{senders}"))
            .clone()
    };
    let name = agent.get("/session").expect(200)["user"]["name"].as_str().expect("a name").to_owned();
    let signed = format!("Groet,\n{name}\nverkoop@winkel.example");
    assert_eq!(of("verkoop@winkel.example")["signature"], signed);
    assert_eq!(of("stil@winkel.example")["can_send"], false);
    assert_eq!(of(DESK)["signature"], "");

    let path = format!("/conversations/{id}/messages");
    let reply =
        |account: &Value| json!({ "kind": "reply", "text": "Dat klopt.", "account_id": account["id"] });
    agent.post(&path, reply(&silent)).problem(409, "account_cannot_send");
    agent.post(&path, reply(&other)).expect(201);
    until_sent(&agent, &id, 1);
    agent.post(&path, reply(&other)).expect(201);
    until_sent(&agent, &id, 2);
    let mails = handed(&sink, 2);
    for mail in &mails {
        let header = mail.header();
        assert_eq!(field(&header, "From"), Some("\"Verkoop\" <verkoop@winkel.example>"));
        assert!(field(&header, "Reply-To").is_some_and(|to| to.contains("verkoop+r.")), "{header:?}");
        assert!(field(&header, "In-Reply-To").is_some());
    }
    let open = agent.get(&format!("/conversations/{id}")).expect(200);
    assert_eq!(open["threads"].as_array().map(Vec::len), Some(2), "one more, however often: {open}");
    // An answer to the other address joins the same conversation.
    let header = mails[0].header();
    let reply_to =
        field(&header, "Reply-To").and_then(|field| field.split(['<', '>']).nth(1)).expect("an address");
    let sent = swaks(server.smtp, &["--from", "jan@klant.example", "--to", reply_to, "--body", "Top."]);
    assert!(sent.ok, "{}", sent.transcript);
    wait::until("the answer", Duration::from_secs(20), || {
        (agent.get(&format!("/conversations/{id}")).expect(200)["message_count"] == 4).then_some(())
    });
    // What was changed is on record; a signature that is too long is refused.
    let account = format!("/channel-accounts/{}", text(&other, "id"));
    server
        .admin()
        .patch(&account, json!({ "signature": "x".repeat(2_001) }))
        .fields(&["signature: too_long"]);
    let changed = server.admin().patch(&account, json!({ "signature": "" })).expect(200);
    assert_eq!(changed["signature"], "");
});

on_both_engines!(formatted_text_goes_out_with_a_text_that_says_the_same_and_with_its_pictures, |engine| {
    // The smallest picture there is.
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
    let sink = Sink::start();
    let server = Server::start(engine);
    account(&server, Some(sink.port));
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (agent, id) = (server.join("agent"), text(&row, "id").to_owned());
    let path = format!("/conversations/{id}/messages");
    let picture = agent.upload("/attachments", "foto.png", "image/png", PNG).expect(201);
    let file = agent.upload("/attachments", "lijst.txt", "text/plain", b"bloem en gist").expect(201);
    let shown = text(&picture, "id");
    let html = format!(
        "<p onclick=\"x()\">Zo <b>gaat</b> het:</p><ol><li><p>eerst</p></li><li><p>dan</p></li></ol>\
         <p><img src=\"cid:{shown}@inline\" alt=\"foto\"><a href=\"https://winkel.example/hulp\">uitleg</a></p><script>x()</script>"
    );
    let reply = json!({ "kind": "reply", "html": html, "attachment_ids": [picture["id"], file["id"]] });
    let told = agent.post(&path, reply).expect(201);
    assert_eq!(
        told["text"], "Zo gaat het:\n\n1. eerst\n2. dan\n\n[foto]uitleg <https://winkel.example/hulp>",
        "{told}"
    );
    let kept = text(&told, "html");
    assert!(kept.contains("<b>gaat</b>") && !kept.contains("script") && !kept.contains("onclick"), "{kept}");
    let files = told["attachments"].as_array().expect("files");
    assert_eq!((files[0]["inline"].clone(), files[1]["inline"].clone()), (json!(true), json!(false)));
    assert_eq!(files[0]["content_id"], format!("{shown}@inline"));
    until_sent(&agent, &id, 1);
    let data = handed(&sink, 1)[0].data.clone();
    for part in [
        "multipart/mixed",
        "multipart/alternative",
        "multipart/related",
        "text/plain",
        "text/html",
        "lijst.txt",
    ] {
        assert!(data.contains(part), "{part}: {data}");
    }
    assert!(data.contains(&format!("Content-ID: <{shown}@inline>")), "{data}");
    assert!(data.contains("1. eerst\r\n2. dan"), "{data}");
    agent.post(&path, json!({ "kind": "reply", "html": "<p> </p>" })).fields(&["text: required"]);
    let large = format!("<p>{}</p>", "x".repeat(1_000_001));
    agent.post(&path, json!({ "kind": "reply", "text": "x", "html": large })).fields(&["html: too_long"]);
});

on_both_engines!(a_message_is_taken_back_while_it_waits_and_not_after, |engine| {
    let sink = Sink::start();
    let mut server = Server::start(engine);
    account(&server, Some(sink.port));
    let row = receive(&server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (agent, id) = (server.join("agent"), text(&row, "id").to_owned());
    let path = format!("/conversations/{id}/messages");
    let file = agent.upload("/attachments", "kaart.txt", "text/plain", b"Hierheen").expect(201);
    let reply = |words: &str, seconds: u32| json!({ "kind": "reply", "text": words, "attachment_ids": [file["id"]], "undo_seconds": seconds });
    agent.post(&path, reply("x", 61)).fields(&["undo_seconds: out_of_range"]);
    let told = agent.post(&path, reply("Te vroeg.", 60)).expect(201);
    assert!(told["deliveries"][0]["state"] == "queued" && told["deliveries"][0]["next_try_at"].is_string());
    let undo = format!("/messages/{}/undo", text(&told, "id"));
    server.join("agent").post_nothing(&undo).problem(404, "not_found");
    let keyed = agent.with_header("idempotency-key", "terug-1");
    let back = keyed.post_nothing(&undo).expect(200);
    assert_eq!(back["text"], "Te vroeg.");
    assert_eq!(keyed.post_nothing(&undo).expect(200), back, "asked again it is told again");
    agent.post_nothing(&undo).problem(404, "not_found");
    let case = agent.get(&format!("/conversations/{id}")).expect(200);
    assert!(case["status"] == "open" && case["message_count"] == 1 && case["preview"] == "Dag.", "{case}");
    assert_eq!(items(&agent.get(&path).expect(200)).len(), 1);

    // Its file waits for a message again. Whoever closes the browser, or a server that dies, keeps nothing back.
    let told = agent.post(&path, reply("Nu goed.", 2)).expect(201);
    server.kill();
    server.boot();
    let mails = handed(&sink, 1);
    assert!(mails[0].data.contains("Nu goed.") && mails[0].data.contains("kaart.txt"), "{}", mails[0].data);
    until_sent(&agent, &id, 1);
    agent.post_nothing(&format!("/messages/{}/undo", text(&told, "id"))).problem(409, "conflict");
    assert_eq!(sink.handed().len(), 1, "what was taken back went nowhere");
});

on_both_engines!(who_wrote_by_a_form_is_answered_and_a_report_never_is, |engine| {
    let sink = Sink::start();
    let server = Server::start(engine);
    account(&server, Some(sink.port));
    let agent = server.join("agent");
    let write = |case: &str, body: Value| agent.post(&format!("/conversations/{case}/messages"), body);
    let plain = json!({ "kind": "reply", "text": "Dat kan." });

    // A form of the tenant's own site writes by a machine and says who asked.
    let form =
        ["--header", "Auto-Submitted: auto-generated", "--header", "Reply-To: Els <els@klant.example>"];
    let row = receive(&server, "Website <formulier@winkel.example>", "Formulier", "Kan dit?", &form);
    let id = text(&row, "id").to_owned();
    let told = write(&id, plain.clone()).expect(201);
    assert_eq!(told["to"], json!([{ "name": "Els", "address": "els@klant.example" }]));
    // One more word goes to the same, not to the machine.
    let told = write(&id, plain.clone()).expect(201);
    assert_eq!(told["to"], json!([{ "name": "Els", "address": "els@klant.example" }]));
    until_sent(&agent, &id, 2);
    let mails = handed(&sink, 2);
    assert!(mails.iter().all(|mail| mail.recipients == ["<els@klant.example>"]));
    assert!(field(&mails[0].header(), "In-Reply-To").is_some(), "it answers the form");

    // A report with nothing before it: whoever writes all the same says to whom, and not to the mail system.
    let report = format!(
        "From: MAILER-DAEMON@post.example\nTo: {DESK}\nSubject: Niet bezorgd\nAuto-Submitted: auto-replied\n\
         MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\n\n\
         --x\n\nNiet bezorgd.\n--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; post.example\n\n\
         Final-Recipient: rfc822; piet@klant.example\nAction: failed\nStatus: 5.1.1\n--x--\n"
    );
    assert!(post(server.smtp, "", DESK, report.as_bytes()).starts_with("250"));
    let row = until_listed(&agent, "Niet bezorgd");
    let id = text(&row, "id").to_owned();
    let page = agent.get(&format!("/conversations/{id}/messages")).expect(200);
    assert_eq!(items(&page)[0]["sort"], "delivery_report", "{page}");
    let report = text(&items(&page)[0], "id").to_owned();
    write(&id, plain.clone()).fields(&["to: required"]);
    let answers = json!({ "kind": "reply", "text": "Dat kan.", "answers_id": report });
    write(&id, answers.clone()).fields(&["to: required"]);
    let to = |address: &str| {
        let mut body = answers.clone();
        body["to"] = json!([address]);
        body
    };
    write(&id, to("Mailer-Daemon@post.example")).fields(&["to: invalid"]);
    write(&id, to("piet@klant.example")).expect(201);
    until_sent(&agent, &id, 1);
    assert_eq!(handed(&sink, 3).len(), 3, "nothing went to the mail system");
});
