// SPDX-License-Identifier: EUPL-1.2
//! The peers themselves: a test that fails here says that the surroundings are broken, not
//! the product.

use crate::support::chromium::Chromium;
use crate::support::dovecot::Dovecot;
use crate::support::postfix::{Options, Postfix, Route};
use crate::support::postgres::Database;
use crate::support::swaks::swaks;
use std::path::Path;
use std::process::Command;

const ANNA: (&str, &str) = ("anna@klant.example", "kaas met mosterd");

#[test]
fn a_mail_goes_through_postfix_into_dovecot_and_is_read_over_imap() {
    let dovecot = Dovecot::start(&[ANNA]);
    let routes = [("klant.example", Route::Lmtp(dovecot.lmtp))];
    let Some(postfix) = Postfix::start(&Options { routes: &routes, ..Options::default() }) else { return };

    let trusted = postfix.certificate.authority.display().to_string();
    let mail = [
        "--from",
        "info@winkel.example",
        "--to",
        ANNA.0,
        "--header",
        "Subject: Uw bestelling",
        "--body",
        "Onderweg.",
    ];
    let sent =
        swaks(postfix.smtp, &[&mail[..], &["--tls", "--tls-verify", "--tls-ca-path", &trusted]].concat());
    assert!(sent.ok, "{}", sent.transcript);
    assert!(sent.transcript.contains("TLS started"), "STARTTLS was used: {}", sent.transcript);

    let mails = dovecot.wait_for_mails(ANNA.0, 1);
    assert!(mails[0].contains("Subject: Uw bestelling") && mails[0].contains("Onderweg."), "{}", mails[0]);
    let read = read_over_imap(&dovecot, ANNA, &dovecot.certificate.authority);
    assert!(read.contains("Subject: Uw bestelling"), "{read}");
    let stranger = read_over_imap(&dovecot, ANNA, &postfix.certificate.authority);
    assert!(stranger.contains("SSL certificate problem"), "the certificate is checked: {stranger}");
    assert!(postfix.log().contains("status=sent"), "{}", postfix.log());
}

#[test]
fn postfix_answers_as_told_and_lets_no_mail_out() {
    let routes = [("klant.example", Route::Smtp(9))];
    let answers =
        [("vol@klant.example", "452 4.2.2 Mailbox full"), ("weg@klant.example", "550 5.1.1 Unknown")];
    let options = Options { routes: &routes, answers: &answers, ..Options::default() };
    let Some(postfix) = Postfix::start(&options) else { return };

    let full = swaks(postfix.smtp, &["--from", "info@winkel.example", "--to", "vol@klant.example"]);
    assert!(!full.ok && full.transcript.contains("452 4.2.2"), "{}", full.transcript);
    let gone = swaks(postfix.smtp, &["--from", "info@winkel.example", "--to", "weg@klant.example"]);
    assert!(!gone.ok && gone.transcript.contains("550 5.1.1"), "{}", gone.transcript);

    let outside = swaks(postfix.smtp, &["--from", "info@winkel.example", "--to", "iemand@elders.example"]);
    assert!(!outside.ok && outside.transcript.contains("no mail leaves a test"), "{}", outside.transcript);
}

#[test]
fn a_submission_needs_the_password() {
    let dovecot = Dovecot::start(&[ANNA, ("info@winkel.example", "geheim van de zaak")]);
    let routes = [("klant.example", Route::Lmtp(dovecot.lmtp))];
    let options = Options { routes: &routes, auth: Some(dovecot.auth), ..Options::default() };
    let Some(postfix) = Postfix::start(&options) else { return };
    let mail = ["--from", "info@winkel.example", "--to", ANNA.0, "--tls"];

    let nobody = swaks(postfix.smtp, &mail);
    assert!(!nobody.ok, "{}", nobody.transcript);
    let wrong =
        [&mail[..], &["--auth", "PLAIN", "--auth-user", "info@winkel.example", "--auth-password", "fout"]]
            .concat();
    let wrong = swaks(postfix.smtp, &wrong);
    assert!(!wrong.ok && wrong.transcript.contains("535"), "{}", wrong.transcript);
    let right =
        ["--auth", "PLAIN", "--auth-user", "info@winkel.example", "--auth-password", "geheim van de zaak"];
    let starttls = swaks(postfix.smtp, &[&mail[..], &right].concat());
    assert!(starttls.ok, "{}", starttls.transcript);
    let wrapped = swaks(postfix.smtps, &[&mail[..4], &["--tls-on-connect"], &right[..]].concat());
    assert!(wrapped.ok, "{}", wrapped.transcript);
    assert_eq!(dovecot.wait_for_mails(ANNA.0, 2).len(), 2);
}

#[test]
fn two_databases_come_from_one_template_and_know_nothing_of_each_other() {
    let template = format!("template_peers_{}", std::process::id());
    let mut made = 0;
    let mut make = |url: &str| {
        made += 1;
        assert!(url.starts_with("postgres://"));
    };
    let first = Database::from_template(&template, &mut make);
    let second = Database::from_template(&template, &mut make);
    assert_eq!(made, 1, "the template is filled once");
    first.query("CREATE TABLE only_here (id bigint)");
    let count = "SELECT count(*) FROM pg_tables WHERE tablename = 'only_here'";
    assert_eq!(first.query(count), "1");
    assert_eq!(second.query(count), "0");
    // Row-level security does not hold for a superuser, so the tests must not be one.
    assert_eq!(
        first.query("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"),
        "f"
    );
    let url = first.url().to_owned();
    drop(first);
    let gone = Command::new("psql").args(["-X", "-d", &url, "-c", "SELECT 1"]).output();
    assert!(!gone.expect("psql starts").status.success(), "the database is dropped with its handle");
    Database::empty().query(&format!("SELECT '{template}'"));
}

#[test]
fn chromium_runs_the_script_of_a_page() {
    let page = "data:text/html,<p id=a></p><script>a.textContent=6*7</script>";
    assert!(Chromium::new().document(page).contains(">42</p>"));
}

/// The first mail of a mailbox, or the words of the client about why not.
fn read_over_imap(dovecot: &Dovecot, (user, password): (&str, &str), trusted: &Path) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--ssl-reqd", "--user", &format!("{user}:{password}")])
        .arg("--cacert")
        .arg(trusted)
        .arg(format!("imap://localhost:{}/INBOX;UID=1", dovecot.imap))
        .output()
        .expect("curl is installed by `cargo xtask test`");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
