// SPDX-License-Identifier: EUPL-1.2
//! Every setting: its name, type, default and meaning. The reference page is printed from this.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::read::{KeyDoc, Reader, SectionDoc};
use belofte_channels::network::Network;
use belofte_channels::outbound::{AllowPrivate, SubProcessor};
use belofte_channels::push::PushService;
use belofte_channels::scanner::ScannerAddress;
use belofte_model::EmailAddress;

use super::setting::{
    LogFormat, NameServer, Secret, Setting, SmtpTlsMode, StorageEngine, TlsMode, WebAddress, Whole,
};

/// Writes a section's struct, the function that reads it and the one that describes it.
macro_rules! sections {
    ($(
        $(#[doc = $section_doc:literal])+
        $section:ident as $field:ident = $path:literal {
            $($(#[doc = $doc:literal])+ $key:ident: $type:ty = $default:literal;)+
        }
    )+) => {
        /// The whole configuration, checked.
        #[derive(Clone, Debug)]
        pub struct Config {
            $(#[doc = concat!("`[", $path, "]`")] pub $field: $section,)+
        }

        $(
            $(#[doc = $section_doc])+
            #[derive(Clone, Debug)]
            pub struct $section {
                $($(#[doc = $doc])+ pub $key: $type,)+
            }
        )+

        impl Config {
            /// Takes every setting out of `reader`; `None` when one did not hold (the reader
            /// knows which).
            pub(super) fn read(reader: &mut Reader) -> Option<Self> {
                $(
                    // All of a section are read before one failure ends it: all errors are told.
                    $(let $key = reader.take::<$type>(concat!($path, ".", stringify!($key)), $default);)+
                    let $field = (|| Some($section { $($key: $key?,)+ }))();
                )+
                Some(Self { $($field: $field?,)+ })
            }

            /// What there is to set.
            pub(super) fn describe() -> Vec<SectionDoc> {
                vec![$(
                    SectionDoc {
                        path: $path,
                        text: concat!($($section_doc),+).trim(),
                        keys: vec![$(KeyDoc {
                            path: concat!($path, ".", stringify!($key)),
                            text: concat!($($doc),+).trim(),
                            kind: <$type as Setting>::kind(),
                            default: $default,
                        },)+],
                    },
                )+]
            }
        }
    };
}

sections! {
    /// Where the desk and the API are served.
    Server as server = "server" {
        /// The address and port of the HTTPS listener.
        listen: SocketAddr = "127.0.0.1:8443";
        /// How people reach it from outside; links in invitations begin with it.
        public_url: WebAddress = "https://localhost:8443";
        /// Networks of proxies of one's own before this server. What they say in `X-Forwarded-For` or
        /// `Forwarded` is believed, for the limits per address; from anybody else it is ignored. Such a
        /// proxy must add to the one of the two that it writes, and take away the other.
        trusted_proxies: Vec<Network> = "";
    }
    /// The certificate of the HTTPS listener.
    ServerTls as tls = "server.tls" {
        /// Where it comes from.
        mode: TlsMode = "self-signed";
        /// The certificate with its chain (PEM), with mode `files`.
        cert_file: Option<PathBuf> = "";
        /// Its private key (PEM), with mode `files`.
        key_file: Option<PathBuf> = "";
    }
    /// What the server keeps on this machine.
    Data as data = "data" {
        /// The data folder; without it `BELOFTE_DATA`, else `data` in the working folder.
        folder: Option<PathBuf> = "";
    }
    /// Where rows are kept.
    Storage as storage = "storage" {
        /// The engine.
        engine: StorageEngine = "sqlite";
        /// The database of content, with engine `postgres`: `postgres://user:password@host/database`.
        url: Option<Secret> = "";
        /// The database of keys, with engine `postgres`. Another database, on another cluster
        /// where physical back-ups are made: keys never lie in a content back-up.
        keys_url: Option<Secret> = "";
        /// How many connections to each database at most.
        connections: Whole<4, 200> = "16";
        /// The authorities (PEM) that sign the certificates of the database servers. An address on
        /// another machine must say `sslmode=verify-full`, `verify-ca` or `require`; the last checks the
        /// certificate only when this is set.
        root_certs_file: Option<PathBuf> = "";
        /// Whether an address on another machine may say `sslmode=disable`: everything that is not
        /// sealed, and the password of the database, then goes over the network in clear.
        allow_plaintext: bool = "false";
    }
    /// The listener for incoming mail (SMTP and LMTP).
    Smtp as smtp = "smtp" {
        /// Its address and port; empty receives no mail.
        listen: Option<SocketAddr> = "127.0.0.1:2525";
        /// The address and port of an LMTP listener beside it (RFC 2033), for a mail server of one's
        /// own that delivers here; empty has none.
        lmtp_listen: Option<SocketAddr> = "";
        /// The name that it greets with; the host of `server.public_url` without it.
        hostname: Option<String> = "";
        /// The channel account whose mailbox gets what is sent to the postmaster of this host (RFC 5321,
        /// section 4.5.1), unless there is an account `postmaster@` its name; without both it is refused.
        postmaster: Option<EmailAddress> = "";
        /// The longest mail that it takes, in bytes.
        max_message_bytes: Whole<65_536, 268_435_456> = "52428800";
        /// How many connections at once.
        max_connections: Whole<1, 10_000> = "1000";
        /// How many connections at once of one client (an IPv6 client is its /64).
        max_connections_per_client: Whole<1, 10_000> = "20";
        /// How many connections a minute one client may begin.
        connections_per_minute: Whole<1, 1_000_000> = "60";
        /// How many mails a minute one client may begin.
        messages_per_minute: Whole<1, 1_000_000> = "120";
        /// How many recipients a minute one client may name.
        recipients_per_minute: Whole<1, 1_000_000> = "1200";
        /// How many mails a minute one account may receive; a quarter of them from one client.
        account_messages_per_minute: Whole<1, 1_000_000> = "300";
        /// Mail servers of one's own, which queue and limit by themselves: no limit holds for them.
        exempt: Vec<Network> = "127.0.0.0/8, ::1";
        /// How many bytes of mail may be under way at once, of all connections together.
        memory_bytes: Whole<1_048_576, 17_179_869_184> = "268435456";
    }
    /// The certificate of the mail listener.
    SmtpTls as smtp_tls = "smtp.tls" {
        /// Where it comes from.
        mode: SmtpTlsMode = "server";
        /// The certificate with its chain (PEM), with mode `files`.
        cert_file: Option<PathBuf> = "";
        /// Its private key (PEM), with mode `files`.
        key_file: Option<PathBuf> = "";
    }
    /// Mailboxes of tenants that are read over IMAP.
    Retrieval as retrieval = "retrieval" {
        /// After how many seconds a folder is looked at again whose server does not tell of new mail by itself
        /// (IDLE, RFC 2177). A server that does tells of the first folder of a mailbox; its others are looked at as
        /// often. Providers may lock out who asks too often.
        poll_s: Whole<1, 300> = "60";
    }
    /// How much one caller, or all together, may ask of the server.
    Limits as limits = "limits" {
        /// How many HTTPS connections at once; more wait in the system's queue.
        connections: Whole<16, 100_000> = "2048";
        /// How many HTTPS connections at once of one address (an IPv6 client is its /64); more are
        /// closed at once.
        connections_per_address: Whole<4, 100_000> = "256";
        /// Within how many seconds a connection must finish its TLS handshake.
        handshake_s: Whole<1, 120> = "10";
        /// Within how many seconds the head of a request must arrive.
        head_s: Whole<1, 120> = "15";
        /// After how many seconds without a request a connection of HTTP/2 is closed.
        idle_s: Whole<5, 3_600> = "120";
        /// Within how many seconds the body of a request must arrive.
        body_s: Whole<1, 3_600> = "120";
        /// The longest JSON body, in bytes.
        json_bytes: Whole<16_384, 33_554_432> = "4194304";
        /// The longest attachment to upload, in bytes.
        attachment_bytes: Whole<65_536, 268_435_456> = "26214400";
        /// How many seconds running requests have to finish when the server stops.
        drain_s: Whole<1, 600> = "30";
        /// How many looks at invitations from one address within a quarter of an hour.
        invitations_per_address: Whole<3, 100_000> = "60";
        /// How many requests of one user, key or operator user within a minute; 0 sets no bound. Who
        /// asks more is told to wait.
        requests_per_caller: Whole<0, 1_000_000> = "1200";
        /// How many requests of all users and keys of one tenant within a minute; 0 sets no bound.
        requests_per_tenant: Whole<0, 10_000_000> = "24000";
        /// How many of them may be searches, for one user or key.
        searches_per_caller: Whole<0, 1_000_000> = "600";
        /// How many of them may be searches, for one tenant.
        searches_per_tenant: Whole<0, 10_000_000> = "6000";
        /// How many of them may be uploads, for one user or key.
        uploads_per_caller: Whole<0, 1_000_000> = "120";
        /// How many of them may be uploads, for one tenant.
        uploads_per_tenant: Whole<0, 10_000_000> = "1200";
        /// How many files one user or key may have uploaded that no message has taken yet.
        waiting_files: Whole<1, 1_000_000> = "200";
        /// How many bytes they may be together.
        waiting_bytes: Whole<65_536, 1_099_511_627_776> = "536870912";
        /// How many exports of one user or key within an hour; 0 sets no bound.
        exports_per_caller: Whole<0, 1_000_000> = "30";
        /// How many exports of one tenant within an hour; 0 sets no bound.
        exports_per_tenant: Whole<0, 10_000_000> = "60";
    }
    /// Connections that the server itself makes.
    Outbound as outbound = "outbound" {
        /// Private networks that hosts named by a tenant may lie in, such as one's own mail
        /// server. By default none: a tenant cannot make the server reach into the house.
        allow_private: Vec<AllowPrivate> = "";
        /// Servers inside the house, each as `host:port`, whose images are shown in mails, such as that of one's own
        /// newsletter. Mails are written by strangers: what `allow_private` allows is out of their reach.
        images_from: Vec<AllowPrivate> = "";
        /// The parties that process for you (hosting, back-ups), each one text: `name; purpose; country;
        /// hosts`, the country in two letters and within the EEA, the hosts parted by spaces. They are
        /// shown to your tenants, and no connection is made for one to a host that does not stand here.
        sub_processors: Vec<SubProcessor> = "";
        /// Further certificate authorities (PEM) that mail servers may be signed by, beside the
        /// public ones.
        root_certs_file: Option<PathBuf> = "";
    }
    /// Telling browsers that something is new for their user (web push), and never what. By default it is there for
    /// tenants whose admin allows it; none does by itself. The push services are those of browser makers, most of them
    /// outside the EEA: they learn that and when a browser of yours is told something, and from which installation.
    Push as push = "push" {
        /// Whether tenants may allow it. Without it no browser is told anything, and no push service is spoken with.
        enabled: bool = "true";
        /// The push services that are spoken with: a host, all hosts below a name (`*.push.example`), or `host:port` for
        /// one of your own, which may then lie in a private network. Browsers of any other get none.
        services: Vec<PushService> = "fcm.googleapis.com, *.push.services.mozilla.com, *.push.apple.com, *.notify.windows.com";
        /// Where a push service reaches you when something is wrong with what you send (RFC 8292): each of them sees this
        /// address. Without one they get `server.public_url`.
        contact: Option<EmailAddress> = "";
    }
    /// Asking the domain name system, which says what domains publish about their mails (SPF, DKIM, DMARC).
    Names as dns = "dns" {
        /// The name servers that are asked, in this order; those of the system (`/etc/resolv.conf`) when there
        /// are none. They learn the domains of those who mail, so let them be your own. When none answers, mail
        /// is taken in all the same, at once, and who sent it stays unchecked.
        servers: Vec<NameServer> = "";
    }
    /// Looking for malware in mail that comes in and in files that are uploaded.
    Malware as malware = "malware" {
        /// The clamd that is asked: `unix:/run/clamav/clamd.ctl`, or `host:port` on this machine or in a network of
        /// your own, since what it is shown goes there in clear. Empty looks for nothing. While it does not answer,
        /// mail is taken and waits, and uploads are refused.
        clamd: Option<ScannerAddress> = "";
    }
    /// What can be seen of the server at work. Nothing of it holds a personal value.
    Observability as observability = "observability" {
        /// What to log: `error`, `warn`, `info`, `debug` or `trace`, also by part:
        /// `info,belofte_store=debug`. Libraries that are not named log warnings and errors.
        log: String = "info";
        /// How log lines are written.
        format: LogFormat = "text";
        /// The address and port where Prometheus reads figures; empty shows none.
        metrics_listen: Option<SocketAddr> = "";
        /// Where traces go by OTLP over HTTP (`/v1/traces` is added); empty sends none.
        otlp_endpoint: Option<WebAddress> = "";
    }
    /// The keys of everything.
    Vault as vault = "vault" {
        /// The root key file; `root.key` in the data folder without it. Keep a copy off the machine:
        /// without it nothing can ever be read again.
        root_key_file: Option<PathBuf> = "";
        /// A second place, off this machine (a mounted folder): back-ups of keys, the keys of their
        /// epochs, and the list of what was erased. Without it keys die with this disk.
        key_backup_dir: Option<PathBuf> = "";
        /// How many days after it was made a back-up of keys can no longer be opened by anybody. What
        /// is erased is unreadable in back-ups after so many days at the latest, so this is part of
        /// the term that tenants were promised, at most twelve weeks.
        key_backup_days: Whole<8, 84> = "28";
    }
}
