// SPDX-License-Identifier: EUPL-1.2
//! A private Postfix: the mail server between the tenant and its customers. No mail leaves
//! this machine: a domain without a route is an error.

use super::certificate::Certificate;
use super::free_port::free_ports;
use super::peer::{Peer, new_folder, user_id};
use super::wait;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

/// Where the mail of a domain goes.
#[derive(Clone, Copy, Debug)]
pub enum Route {
    /// Over LMTP to this port of the loopback.
    Lmtp(u16),
    /// Over SMTP to this port of the loopback.
    Smtp(u16),
}

/// What the Postfix of a test does beside accepting mail.
#[derive(Debug, Default)]
pub struct Options<'a> {
    /// Where the mail of each domain goes.
    pub routes: &'a [(&'a str, Route)],
    /// Recipients that get this answer, such as `("full@klant.example", "452 4.2.2 Mailbox full")`.
    pub answers: &'a [(&'a str, &'a str)],
    /// The port of a Dovecot that checks passwords; mail is then taken only after authentication.
    pub auth: Option<u16>,
    /// More lines of main.cf.
    pub more: &'a str,
}

/// A running Postfix.
#[derive(Debug)]
pub struct Postfix {
    peer: Peer,
    /// SMTP on the loopback, with STARTTLS.
    pub smtp: u16,
    /// SMTP on the loopback, in TLS from the first byte.
    pub smtps: u16,
    /// The certificate that it shows.
    pub certificate: Certificate,
}

impl Postfix {
    /// Starts, or returns `None` where this cannot be done (Postfix needs root).
    pub fn start(options: &Options<'_>) -> Option<Self> {
        if user_id() != 0 && super::may_skip("root, because Postfix does") {
            return None;
        }
        let folder = new_folder("postfix");
        let certificate = Certificate::make(&folder);
        let [smtp, smtps] = free_ports();
        for name in ["config", "queue", "data"] {
            fs::create_dir(folder.join(name)).expect("our own folder");
        }
        let status = Command::new("chown").arg("postfix").arg(folder.join("data")).status();
        assert!(status.is_ok_and(|status| status.success()), "postfix is installed by `cargo xtask test`");
        let transport: String =
            options.routes.iter().map(|(domain, route)| route_line(domain, *route)).collect();
        let answers: String = options.answers.iter().map(|(to, answer)| format!("{to} {answer}\n")).collect();
        let domains: Vec<&str> = options.routes.iter().map(|(domain, _)| *domain).collect();
        let config = folder.join("config");
        fs::write(config.join("transport"), transport).expect("our own folder");
        fs::write(config.join("answers"), answers).expect("our own folder");
        fs::write(config.join("master.cf"), master(smtp, smtps)).expect("our own folder");
        let at = folder.display();
        let (cert, key) = (certificate.certificate.display(), certificate.key.display());
        let mut main = format!(
            "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\n\
             maillog_file = {at}/log\nmaillog_file_prefixes = {at}\n\
             command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\n\
             mail_owner = postfix\nsetgid_group = postdrop\n\
             myhostname = mx.test.example\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
             mydestination =\nalias_maps =\nalias_database =\nlocal_recipient_maps =\n\
             relay_domains = {}\ntransport_maps = texthash:{at}/config/transport\n\
             default_transport = error:5.7.1 no mail leaves a test\n\
             recipient_delimiter = +\nmessage_size_limit = 104857600\nmailbox_size_limit = 0\n\
             smtp_host_lookup = native\nsmtp_dns_support_level = disabled\nsmtpd_peername_lookup = no\n\
             minimal_backoff_time = 1s\nmaximal_backoff_time = 2s\nqueue_run_delay = 1s\n\
             smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {cert}\nsmtpd_tls_key_file = {key}\n\
             smtp_tls_security_level = may\n\
             smtpd_delay_reject = yes\nsmtpd_error_sleep_time = 0\nsmtpd_client_connection_rate_limit = 0\n",
            domains.join(", ")
        );
        match options.auth {
            Some(port) => write!(
                main,
                "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = inet:127.0.0.1:{port}\n\
                 mynetworks =\n\
                 smtpd_recipient_restrictions = check_recipient_access texthash:{at}/config/answers, \
                 permit_sasl_authenticated, reject\n"
            ),
            None => write!(
                main,
                "mynetworks = 127.0.0.0/8\n\
                 smtpd_recipient_restrictions = check_recipient_access texthash:{at}/config/answers, \
                 permit_mynetworks, reject\n"
            ),
        }
        .expect("a string takes all");
        main.push_str(options.more);
        fs::write(config.join("main.cf"), main).expect("our own folder");
        let config = config.display().to_string();
        // `postfix start-fg` checks for seconds and leaves the process that the guard knows; these
        // are the folders that it would make, and the master itself.
        let start = format!(
            "cd {at}/queue && install -d -m 755 pid && install -d -o postfix -g postdrop -m 710 public && \
             install -d -o postfix -g postdrop -m 730 maildrop && install -d -o postfix -m 700 active bounce \
             corrupt defer deferred flush hold incoming private saved trace && \
             exec /usr/lib/postfix/sbin/master -c {config} -d"
        );
        let peer = Peer::start(folder, "TERM", &["sh", "-c", &start]);
        let postfix = Self { peer, smtp, smtps, certificate };
        wait::until_listening("Postfix", smtp);
        Some(postfix)
    }

    /// What Postfix logged so far: every delivery with its state.
    pub fn log(&self) -> String {
        self.peer.logs()
    }
}

fn route_line(domain: &str, route: Route) -> String {
    match route {
        Route::Lmtp(port) => format!("{domain} lmtp:inet:127.0.0.1:{port}\n"),
        Route::Smtp(port) => format!("{domain} smtp:[127.0.0.1]:{port}\n"),
    }
}

/// The daemons, none of them in a chroot, which a folder without system files could not hold.
fn master(smtp: u16, smtps: u16) -> String {
    format!(
        "127.0.0.1:{smtp} inet n - n - - smtpd\n\
         127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n\
         pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 1 1 qmgr\n\
         tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n\
         bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
         verify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\n\
         proxymap unix - - n - - proxymap\nproxywrite unix - - n - 1 proxymap\n\
         smtp unix - - n - - smtp\nrelay unix - - n - - smtp\nlmtp unix - - n - - lmtp\n\
         error unix - - n - - error\nretry unix - - n - - error\ndiscard unix - - n - - discard\n\
         anvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
         postlog unix-dgram n - n - 1 postlogd\n"
    )
}
