// SPDX-License-Identifier: EUPL-1.2
//! Remote images: nobody outside is asked for one until an agent wants to see it, then the server asks in their place,
//! for what stands in that very mail and nowhere inside the house. What may be asked for, and what counts as an image,
//! is in `belofte-channels/src/images/tests.rs`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::inbox::{DESK, account, text, until_listed};
use crate::support::name_server::NameServer;
use crate::support::pictures::{Pictures, gif};
use crate::support::post::post;
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::wait;

struct World {
    server: Server,
    pictures: Pictures,
    message: Value,
}

fn newsletter(pictures: &Pictures, subject: &str) -> Vec<u8> {
    let at = format!("http://localhost:{}", pictures.port);
    format!(
        "From: Nieuws <nieuws@klant.example>\nTo: {DESK}\nSubject: {subject}\nMessage-ID: <{}@klant.example>\n\
         MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n\
         <p>Aanbieding</p><img src=\"{at}/beeld.gif?u=jan&amp;n=1\" alt=\"Een dak\"><img src='{at}/punt.gif'>\
         <img src='{at}/pagina.gif'><img src='{at}/naar-binnen'><img src='http://10.0.0.1/x.gif'>\
         <img src='http://localhost:9/x.gif'><img src='{at}/weg.gif'>\
         <img src=\"{at}/beeld.gif?u=jan&amp;n=1\">\n",
        subject.replace(' ', "-")
    )
    .into_bytes()
}

fn message(server: &Server, subject: &str) -> Value {
    let case = until_listed(server.admin(), subject);
    let page = server.admin().get(&format!("/conversations/{}/messages", text(&case, "id"))).expect(200);
    page["items"][0].clone()
}

fn world(engine: Engine) -> World {
    let pictures = Pictures::start();
    let more = format!(
        "[outbound]\nallow_private = [\"127.0.0.0/8\", \"10.0.0.0/8\"]\nimages_from = [\"localhost:{}\"]\n",
        pictures.port
    );
    let server = Server::start_with(engine, &more);
    account(&server, None);
    post(server.smtp, "nieuws@klant.example", DESK, &newsletter(&pictures, "Nieuwsbrief"));
    let message = message(&server, "Nieuwsbrief");
    World { server, pictures, message }
}

on_both_engines!(nobody_is_asked_until_somebody_wants_to_see_and_then_once, |engine| {
    let World { server, pictures, message } = world(engine);
    assert_eq!(message["has_remote_images"], true);
    assert!(message["show_images_for"].is_null());
    assert_eq!(server.admin().get(&format!("/messages/{}/source", text(&message, "id"))).status, 200);
    assert!(pictures.asked().is_empty(), "looking at a mail asks nobody");
    let agent = server.join("agent");
    let path = format!("/messages/{}/remote-images", text(&message, "id"));
    let told = agent.post_nothing(&path).expect(200);
    let states: Vec<&str> = told["items"].as_array().unwrap().iter().map(|one| text(one, "state")).collect();
    let expected = ["shown", "tracks", "not_an_image", "refused", "refused", "refused", "missing"];
    assert_eq!(states, expected, "each address once: {told}");
    let first = &told["items"][0];
    assert_eq!(first["address"], format!("http://localhost:{}/beeld.gif?u=jan&n=1", pictures.port));
    assert_eq!(first["data"], format!("data:image/gif;base64,{}", STANDARD.encode(gif(32, 16))));
    assert!(told["items"].as_array().unwrap()[1..].iter().all(|one| one["data"].is_null()));
    for request in pictures.asked() {
        let lower = request.to_lowercase();
        for word in ["cookie", "referer", "belofte", "accept-language", "x-forwarded", "authorization"] {
            assert!(!lower.contains(word), "{request}");
        }
    }
    let before = pictures.asked().len();
    assert_eq!(before, 5, "what is refused is not asked for");
    // A colleague sees what lies here; only what was not an image is asked for again.
    let again = server.join("agent").post_nothing(&path).expect(200);
    assert_eq!(again["items"][0], told["items"][0]);
    let asked = pictures.asked()[before..].join("");
    assert!(!asked.contains("beeld.gif") && !asked.contains("punt.gif"), "{asked}");
    // It stands in the ledger, before anybody outside heard of it.
    wait::until("the ledger", Duration::from_secs(5), || {
        let views = server.views();
        let own = views.iter().filter(|view| view["view"] == "remote_images").count();
        (own == 2).then_some(())
    });
    assert!(!server.logs().contains("beeld.gif"), "no address in a log");
});

on_both_engines!(strangers_and_other_tenants_have_nothing_fetched, |engine| {
    let World { server, pictures, message } = world(engine);
    let other = server.found_tenant("bakker");
    let path = format!("/messages/{}/remote-images", text(&message, "id"));
    other.admin.post_nothing(&path).problem(404, "not_found");
    server.stranger().post_nothing(&path).problem(401, "not_signed_in");
    other
        .admin
        .post(
            &format!("/contacts/{}/remote-images", text(&message["author"], "id")),
            json!({ "for": "me", "show": true }),
        )
        .problem(404, "not_found");
    // There is no way to name an address of one's own.
    let named = server
        .admin()
        .post(&path, json!({ "address": format!("http://localhost:{}/beeld.gif", pictures.port) }));
    assert!(named.status == 200 || named.status == 422, "{}", named.status);
    let asked = pictures.asked();
    assert!(asked.len() <= 5, "what stands in the mail, at most: {asked:?}");
});

on_both_engines!(what_was_chosen_for_a_person_holds_for_their_own_mails, |engine| {
    let World { server, pictures, message: first } = world(engine);
    let agent = server.join("agent");
    let contact = text(&first["author"], "id").to_owned();
    let path = format!("/contacts/{contact}/remote-images");
    let shown = |client: &crate::support::client::Client| {
        let case = format!("/conversations/{}/messages", text(&first, "conversation_id"));
        client.get(&case).expect(200)["items"][0]["show_images_for"].clone()
    };
    agent.post(&path, json!({ "for": "everybody", "show": true })).problem(403, "forbidden");
    agent.post(&path, json!({ "for": "me", "show": true })).expect(204);
    assert_eq!((shown(&agent), shown(server.admin())), (json!("me"), Value::Null));
    server.admin().post(&path, json!({ "for": "everybody", "show": true })).expect(204);
    assert_eq!((shown(&agent), shown(server.admin())), (json!("everybody"), json!("everybody")));
    // It is a choice, not a fetch: the desk of who looks asks.
    assert!(pictures.asked().is_empty());
    // A mail that only says to be from that person is not shown: see `mail_authentication` for how that is found.
    let told = server.entries();
    let leaf = told.iter().find(|entry| entry["detail"]["what"] == "remote_images").expect("an instruction");
    assert_eq!(
        (&leaf["detail"]["before"]["shown"], &leaf["detail"]["after"]["shown"]),
        (&json!(false), &json!(true))
    );
    server.admin().post(&path, json!({ "for": "everybody", "show": false })).expect(204);
    agent.post(&path, json!({ "for": "me", "show": false })).expect(204);
    assert_eq!((shown(&agent), shown(server.admin())), (Value::Null, Value::Null));
});

on_both_engines!(a_mail_can_be_kept_elsewhere_and_its_bytes_are_an_admins, |engine| {
    let World { server, message, .. } = world(engine);
    let agent = server.join("agent");
    let id = text(&message, "id");
    let kept = agent.get(&format!("/messages/{id}/eml"));
    assert_eq!(kept.status, 200);
    assert_eq!(kept.headers["content-type"], "message/rfc822");
    assert!(kept.headers["content-disposition"].to_str().unwrap().contains("Nieuwsbrief.eml"));
    let own = String::from_utf8_lossy(&kept.body).into_owned();
    assert!(own.contains("From: Nieuws <nieuws@klant.example>"), "{own}");
    agent.get(&format!("/messages/{id}/source")).problem(403, "forbidden");
    server.join("supervisor").get(&format!("/messages/{id}/source")).problem(403, "forbidden");
    assert_eq!(server.admin().get(&format!("/messages/{id}/source")).body, kept.body);
    // What goes out is a mail, too; a note is none.
    let case = text(&message, "conversation_id");
    let account = server.admin().get("/channel-accounts").expect(200)["items"][0].clone();
    let submission = json!({ "host": "127.0.0.1", "port": 9, "security": "none" });
    server
        .admin()
        .patch(&format!("/channel-accounts/{}", text(&account, "id")), json!({ "submission": submission }))
        .expect(200);
    server.leaves("deliver");
    let file = agent.upload("/attachments", "lijst.txt", "text/plain", b"een, twee").expect(201);
    let reply = json!({
        "kind": "reply", "text": "Wij lezen het.", "bcc": ["stil@klant.example"], "attachment_ids": [file["id"]],
    });
    let sent = agent.post(&format!("/conversations/{case}/messages"), reply).expect(201);
    let kept = agent.get(&format!("/messages/{}/eml", text(&sent, "id")));
    let own = String::from_utf8_lossy(&kept.body).into_owned();
    for words in [
        "From: \"Winkel\" <info@winkel.example>",
        "Wij lezen het.",
        "lijst.txt",
        "In-Reply-To: <Nieuwsbrief@klant.example>",
    ] {
        assert!(own.contains(words), "{words} in {own}");
    }
    assert!(!own.contains("stil@klant.example"), "a blind copy stands in the envelope alone");
    let note = json!({ "kind": "note", "text": "Intern.", "attachment_ids": [] });
    let note = agent.post(&format!("/conversations/{case}/messages"), note).expect(201);
    agent.get(&format!("/messages/{}/eml", text(&note, "id"))).problem(404, "not_found");
    wait::until("the ledger", Duration::from_secs(5), || {
        let views = server.views();
        let who = agent.get("/session").expect(200)["user"]["id"].clone();
        let own = views
            .iter()
            .filter(|view| view["view"] == "message_source" && view["actor"]["id"] == who)
            .count();
        (own == 2).then_some(())
    });
});

on_both_engines!(who_only_says_to_be_somebody_gets_nothing_of_what_was_chosen_for_them, |engine| {
    let names = NameServer::start();
    names
        .text("bank.example", "v=spf1 ip4:127.0.0.1 -all")
        .text("_dmarc.bank.example", "v=DMARC1; p=reject")
        .text("evil.example", "v=spf1 +all");
    let pictures = Pictures::start();
    let more =
        format!("[outbound]\nimages_from = [\"localhost:{}\"]\n{}", pictures.port, names.configuration());
    // Clients of this machine are strangers here.
    let exempt = ("BELOFTE__SMTP__EXEMPT".to_owned(), "192.0.2.0/24".to_owned());
    let server = Server::start_in(engine, &more, |_| vec![exempt]);
    account(&server, None);
    let letter = |subject: &str| {
        let mail = String::from_utf8(newsletter(&pictures, subject)).expect("text");
        mail.replace("nieuws@klant.example", "info@bank.example").into_bytes()
    };
    post(server.smtp, "info@bank.example", DESK, &letter("Echt"));
    let first = message(&server, "Echt");
    assert_eq!(first["authentication"]["verdict"], "verified", "{first}");
    let path = format!("/contacts/{}/remote-images", text(&first["author"], "id"));
    server.admin().post(&path, json!({ "for": "everybody", "show": true })).expect(204);
    assert_eq!(message(&server, "Echt")["show_images_for"], "everybody");
    post(server.smtp, "dief@evil.example", DESK, &letter("Vals"));
    let forged = message(&server, "Vals");
    assert_eq!(forged["authentication"]["verdict"], "disowned", "{forged}");
    assert_eq!(forged["author"]["id"], first["author"]["id"], "it names the same person");
    assert!(forged["show_images_for"].is_null(), "{forged}");
    assert!(pictures.asked().is_empty());
});
