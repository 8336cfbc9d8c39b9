// SPDX-License-Identifier: EUPL-1.2
//! A private Dovecot 2.3: mailboxes of customers, reached by LMTP and IMAP, and the check of
//! passwords for a Postfix.

use super::certificate::Certificate;
use super::free_port::free_ports;
use super::peer::{Peer, new_folder, user_id, user_name};
use super::wait;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

/// The folder of what was sent, which Dovecot marks as such.
pub const SENT: &str = "Uitgaand";

/// A running Dovecot.
#[derive(Debug)]
pub struct Dovecot {
    peer: Peer,
    /// IMAP on the loopback; STARTTLS is offered, clear text is allowed.
    pub imap: u16,
    /// LMTP on the loopback.
    pub lmtp: u16,
    /// The check of passwords, in Dovecot's own protocol.
    pub auth: u16,
    /// The certificate that IMAP shows.
    pub certificate: Certificate,
}

impl Dovecot {
    /// Starts with these users: address and password.
    pub fn start(users: &[(&str, &str)]) -> Self {
        Self::launch(users, None, "")
    }

    /// As [`start`](Self::start), for people who sign in by tokens too; this port of the loopback tells which hold.
    pub fn start_with(users: &[(&str, &str)], tokens: Option<u16>) -> Self {
        Self::launch(users, tokens, "")
    }

    /// As [`start`](Self::start), but it announces neither IDLE nor NOTIFY: who wants to know of new mail has to ask.
    pub fn that_tells_nothing(users: &[(&str, &str)]) -> Self {
        Self::launch(
            users,
            None,
            "imap_capability = IMAP4rev1 SASL-IR ENABLE UNSELECT CHILDREN NAMESPACE UIDPLUS MOVE\n",
        )
    }

    fn launch(users: &[(&str, &str)], tokens: Option<u16>, more: &str) -> Self {
        let folder = new_folder("dovecot");
        let certificate = Certificate::make(&folder);
        let [imap, lmtp, auth] = free_ports();
        let root = user_id() == 0;
        // Mail is kept by an account without rights; without root everything is ours.
        let (owner, login) =
            if root { ("mail".to_owned(), "dovenull".to_owned()) } else { (user_name(), user_name()) };
        let internal = if root { "dovecot".to_owned() } else { user_name() };
        let lines: String =
            users.iter().map(|(user, password)| format!("{user}:{{PLAIN}}{password}::::::\n")).collect();
        fs::write(folder.join("users"), lines).expect("our own folder");
        fs::create_dir(folder.join("mail")).expect("our own folder");
        if root {
            let status =
                std::process::Command::new("chown").arg("mail:mail").arg(folder.join("mail")).status();
            assert!(status.is_ok_and(|status| status.success()), "chown");
        }
        let at = folder.display();
        let by_token = match tokens {
            None => String::new(),
            Some(port) => {
                let asks = format!(
                    "tokeninfo_url = http://127.0.0.1:{port}/introspect?token=\nusername_attribute = username\n\
                     active_attribute = active\nactive_value = true\n"
                );
                fs::write(folder.join("oauth2"), asks).expect("our own folder");
                format!(
                    "auth_mechanisms = plain login xoauth2 oauthbearer\n\
                     passdb {{\n driver = oauth2\n mechanisms = xoauth2 oauthbearer\n args = {at}/oauth2\n}}\n"
                )
            }
        };
        let (cert, key) = (certificate.certificate.display(), certificate.key.display());
        let config = format!(
            "base_dir = {at}/run\nstate_dir = {at}/state\nlog_path = {at}/log\n\
             protocols = imap lmtp\nlisten = 127.0.0.1\n\
             ssl = yes\nssl_cert = <{cert}\nssl_key = <{key}\ndisable_plaintext_auth = no\n\
             default_internal_user = {internal}\ndefault_login_user = {login}\n\
             mail_location = maildir:{at}/mail/%u\nfirst_valid_uid = 1\nrecipient_delimiter = +\n\
             namespace inbox {{\n inbox = yes\n mailbox {SENT} {{\n  special_use = \\Sent\n  auto = create\n }}\n}}\n\
             {by_token}passdb {{\n driver = passwd-file\n args = scheme=PLAIN username_format=%u {at}/users\n}}\n\
             userdb {{\n driver = passwd-file\n args = username_format=%u {at}/users\n \
             override_fields = uid={owner} gid={owner} home={at}/mail/%u\n}}\n\
             auth_failure_delay = 0\nservice anvil {{\n chroot =\n unix_listener anvil-auth-penalty {{\n  mode = 0\n }}\n}}\n\
             service imap-login {{\n chroot =\n inet_listener imap {{\n  port = {imap}\n }}\n inet_listener imaps {{\n  port = 0\n }}\n}}\n\
             service lmtp {{\n inet_listener lmtp {{\n  address = 127.0.0.1\n  port = {lmtp}\n }}\n}}\n\
             service auth {{\n inet_listener {{\n  address = 127.0.0.1\n  port = {auth}\n }}\n}}\n{more}"
        );
        let file = folder.join("dovecot.conf");
        fs::write(&file, config).expect("our own folder");
        let peer =
            Peer::start(folder, "TERM", &["/usr/sbin/dovecot", "-F", "-c", &file.display().to_string()]);
        let dovecot = Self { peer, imap, lmtp, auth, certificate };
        wait::until_listening("Dovecot's LMTP", lmtp);
        wait::until_listening("Dovecot's IMAP", imap);
        dovecot
    }

    /// Gives `user` another password; the one before is wrong from then on.
    pub fn set_password(&self, user: &str, password: &str) {
        let file = self.peer.folder().join("users");
        let lines = fs::read_to_string(&file).expect("our own folder");
        let changed: String = lines
            .lines()
            .map(|line| match line.split_once(':') {
                Some((known, _)) if known == user => format!("{user}:{{PLAIN}}{password}::::::\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        fs::write(file, changed).expect("our own folder");
    }

    /// Delivers a mail to `user`, as another mail server would.
    ///
    /// # Panics
    /// When Dovecot does not take it.
    pub fn deliver(&self, user: &str, from: &str, more: &[&str]) {
        let mail = ["--protocol", "LMTP", "--from", from, "--to", user];
        let sent = super::swaks::swaks(self.lmtp, &[&mail[..], more].concat());
        assert!(sent.ok, "{}", sent.transcript);
    }

    /// Says one command over IMAP in clear as `user`, as another program of theirs would; all that is answered to it.
    ///
    /// # Panics
    /// When the password is wrong, or the command is refused.
    pub fn say(&self, user: &str, password: &str, command: &str) -> String {
        let stream = TcpStream::connect(("127.0.0.1", self.imap)).expect("Dovecot listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
        let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
        let login = format!("LOGIN \"{user}\" \"{password}\"");
        let mut answer = String::new();
        for (tag, words) in [("a1 ", login.as_str()), ("a2 ", command)] {
            (&stream).write_all(format!("{tag}{words}\r\n").as_bytes()).expect("a line");
            answer.clear();
            loop {
                let from = answer.len();
                let read = reader.read_line(&mut answer).expect("an answer");
                assert!(read > 0, "the line ended: {answer}");
                if let Some(told) = answer[from..].strip_prefix(tag) {
                    assert!(told.starts_with("OK"), "{answer}");
                    break;
                }
            }
        }
        answer
    }

    /// Lays mails into the INBOX of `user`, without Dovecot's knowing.
    pub fn lay(&self, user: &str, mails: impl IntoIterator<Item = Vec<u8>>) {
        self.lay_in(user, "", mails);
    }

    /// Lays mails into a folder of `user`, as Dovecot writes the folder's name.
    pub fn lay_in(&self, user: &str, folder: &str, mails: impl IntoIterator<Item = Vec<u8>>) {
        let folder = self.peer.folder().join("mail").join(user).join(folder);
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(folder.join(part)).expect("our own folder");
        }
        for (number, mail) in mails.into_iter().enumerate() {
            let at = 1_700_000_000 + number;
            let file = folder.join(format!("new/{at}.M{number:06}P1.test"));
            fs::write(&file, mail).expect("our own folder");
            // INTERNALDATE.
            let received = std::time::UNIX_EPOCH + Duration::from_secs(at as u64);
            let file = fs::File::options().write(true).open(file).expect("our own folder");
            file.set_modified(received).expect("our own folder");
        }
        self.give(&folder);
    }

    /// Has the INBOX of `user` numbered anew (UIDVALIDITY), as after a restored back-up. Nobody may have it
    /// open.
    pub fn renumber(&self, user: &str) {
        let folder = self.peer.folder().join("mail").join(user);
        for entry in fs::read_dir(&folder).expect("our own folder").flatten() {
            if entry.file_name().to_string_lossy().starts_with("dovecot") {
                fs::remove_file(entry.path()).expect("our own folder");
            }
        }
        // The new number is the time in seconds, or follows this one.
        fs::write(folder.join("dovecot-uidvalidity"), "7fffff00").expect("our own folder");
        self.give(&folder);
    }

    /// How many mails of the INBOX of `user` are marked as seen.
    pub fn seen(&self, user: &str) -> usize {
        let folder = self.peer.folder().join("mail").join(user).join("cur");
        let names = fs::read_dir(folder).into_iter().flatten().flatten();
        names
            .filter(|entry| {
                entry.file_name().to_string_lossy().rsplit(',').next().is_some_and(|f| f.contains('S'))
            })
            .count()
    }

    /// The names of the mails in a folder of `user`, as Dovecot writes the folder's name.
    pub fn folder(&self, user: &str, folder: &str) -> usize {
        let folder = self.peer.folder().join("mail").join(user).join(folder);
        ["new", "cur"].iter().filter_map(|part| fs::read_dir(folder.join(part)).ok()).flatten().count()
    }

    /// What lies there belongs to who keeps mail.
    fn give(&self, folder: &std::path::Path) {
        if user_id() == 0 {
            let status = std::process::Command::new("chown").args(["-R", "mail:mail"]).arg(folder).status();
            assert!(status.is_ok_and(|status| status.success()), "chown");
        }
    }

    /// The mails of a user, as delivered, in the order of arrival.
    pub fn mails(&self, user: &str) -> Vec<Vec<u8>> {
        let folder = self.peer.folder().join("mail").join(user);
        let mut files: Vec<PathBuf> = ["new", "cur"]
            .iter()
            .filter_map(|part| fs::read_dir(folder.join(part)).ok())
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        // A Maildir name begins with the second, then M and the microsecond.
        files.sort_by_key(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
        files.iter().filter_map(|file| fs::read(file).ok()).collect()
    }

    /// Waits until the user has `count` mails and returns them as text.
    ///
    /// # Panics
    /// After 20 s.
    pub fn wait_for_mails(&self, user: &str, count: usize) -> Vec<String> {
        wait::until(&format!("{count} mails of {user}"), Duration::from_secs(20), || {
            let mails = self.mails(user);
            (mails.len() >= count)
                .then(|| mails.iter().map(|m| String::from_utf8_lossy(m).into_owned()).collect())
        })
    }
}
