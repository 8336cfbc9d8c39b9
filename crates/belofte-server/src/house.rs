// SPDX-License-Identifier: EUPL-1.2
//! The composition root: stores, verbs, channels and the desk become one process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use belofte_channels::dns::Dns;
use belofte_channels::email::authorisation::Authorising;
use belofte_channels::email::client_tls;
use belofte_channels::email::deliver::Delivering;
use belofte_channels::email::imap::Imap;
use belofte_channels::email::intake::Intake;
use belofte_channels::email::listener::{Listener, ListenerSettings, ListenerTls};
use belofte_channels::email::process::Processing;
use belofte_channels::email::retrieve::Retrieving;
use belofte_channels::email::smtp_session::{Protocol, SessionSettings};
use belofte_channels::email::submission::{Patience, Submission};
use belofte_channels::images::Images;
use belofte_channels::outbound::{Outbound, Register};
use belofte_channels::push::Pushing;
use belofte_channels::rate::Rate;
use belofte_channels::scanner::Scanner;
use belofte_channels::web::Web;
use belofte_core::Core;
use belofte_store::{
    Clock, EngineSettings, PostgresSettings, PostgresTls, SchemaState, Store, StoreSettings, UploadQuota,
    Views, durable, schemas,
};
use belofte_vault::{Random, RootKey};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::net::TcpListener;

use crate::app::App;
use crate::config::{self, Config, Secret, SmtpTlsMode, StorageEngine, TlsMode};
use crate::http::shares::{Bound, ShareBounds, Shares};
use crate::http::tls::Certificate;
use crate::http::tries::Tries;
use crate::http::{Allowance, Around, Bounds, Proxies};
use crate::keeper::{Attention, Keeper, SCANNER};
use crate::lifecycle::{Ended, Life, quiet_panics};
use crate::node::Node;
use crate::passwords::Passwords;
use crate::{api, http, observability, private, root_change, worker};

/// Mails that are filed at once, without the detour over the job table.
const FILING: usize = 32;

/// How long the time is within which tries are counted.
const QUARTER: Duration = Duration::from_secs(15 * 60);
/// Tests of mail servers that a tenant may make in that time.
const TESTS: u32 = 60;
/// Networks (or tenants) whose tries are remembered at once.
const NETWORKS: usize = 10_000;
/// Somebody sits at the desk and waits for the test of a mail server.
const AT_THE_DESK: Patience = Patience {
    connect: Duration::from_secs(10),
    reply: Duration::from_secs(15),
    text: Duration::from_secs(15),
    acceptance: Duration::from_secs(15),
    total: Duration::from_secs(45),
};

/// Where the stores of `config` are.
///
/// # Errors
/// When an address is missing.
pub fn store_settings(config: &Config) -> anyhow::Result<StoreSettings> {
    let engine = match config.storage.engine {
        StorageEngine::Sqlite => EngineSettings::Sqlite { readers: 4 },
        StorageEngine::Postgres => {
            let url = |secret: &Option<Secret>| secret.as_ref().map(|url| url.expose().to_owned());
            EngineSettings::Postgres(PostgresSettings {
                content_url: url(&config.storage.url).context("storage.url is missing")?,
                keys_url: url(&config.storage.keys_url).context("storage.keys_url is missing")?,
                connections: config.storage.connections.as_usize(),
                tls: PostgresTls {
                    root_certs: config.storage.root_certs_file.clone(),
                    allow_plaintext: config.storage.allow_plaintext,
                },
            })
        }
    };
    Ok(StoreSettings { folder: config.data_folder().to_owned(), engine })
}

/// Makes the data folder, closed to others.
fn make_data_folder(config: &Config) -> anyhow::Result<()> {
    let folder = config.data_folder();
    // Also when it is there: whoever made it may have died before its entry was on the disk.
    durable::folder(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let closed = private::make_folder(folder)
        .with_context(|| format!("cannot make the folder {} for its owner only", folder.display()))?;
    if closed {
        tracing::warn!(file = %folder.display(), "the data folder was open to others on this machine; it no longer is");
    }
    Ok(())
}

/// Opens the stores of `config`, makes what is missing and brings the schemas up to date. The root
/// key is made at first start; [`root_key_note`] then says what to do with it.
///
/// # Errors
/// What keeps them shut, in words for the operator.
pub async fn open_store(config: &Config, clock: &Clock, random: &Random) -> anyhow::Result<Store> {
    make_data_folder(config)?;
    let file = config.root_key_file();
    let root = match RootKey::open_file(&file).with_context(|| format!("the root key {}", file.display()))? {
        Some(root) => root,
        None => {
            mark_root_key(config)?;
            RootKey::create_file(&file, random)
                .with_context(|| format!("cannot make the root key {}", file.display()))?
        }
    };
    open_with(config, root, clock, random).await
}

/// Opens the stores of `config` as they are, for a command that looks or that works beside a server:
/// nothing is made and no schema is changed.
///
/// # Errors
/// When there is no installation, or its schemas are not those of this program, in words for the
/// operator; what keeps the stores shut.
pub async fn open_existing(config: &Config, clock: &Clock, random: &Random) -> anyhow::Result<Store> {
    let file = config.root_key_file();
    let root = RootKey::open_file(&file).with_context(|| format!("the root key {}", file.display()))?;
    let none = "there is no installation yet: `belofte serve` or `belofte tenant create` makes one";
    let root = root.with_context(|| format!("there is no root key {}; {none}", file.display()))?;
    let (content, keys) = schemas(&store_settings(config)?).await;
    for (name, state) in [("content", content), ("keys", keys)] {
        match state {
            SchemaState::UpToDate => {}
            SchemaState::Absent => anyhow::bail!("the database of {name} has no schema; {none}"),
            SchemaState::Behind(_) => anyhow::bail!(
                "the schema of the database of {name} is that of an older version; stop its server and run \
                 `belofte migrate`, or use the version that is running"
            ),
            SchemaState::Ahead => {
                anyhow::bail!("the schema of the database of {name} is that of a newer version; use that one")
            }
            SchemaState::Unreachable => anyhow::bail!("the database of {name} cannot be reached or read"),
        }
    }
    open_with(config, root, clock, random).await
}

/// The file that is there for as long as nobody has said that a copy of the root key is kept.
fn root_key_mark(config: &Config) -> PathBuf {
    let mut name = config.root_key_file().into_os_string();
    name.push(".not-kept");
    name.into()
}

/// Sets the mark, on disk when this returns. The mark comes first: a key without its note is worse
/// than a note too many.
///
/// # Errors
/// The mark cannot be written.
pub fn mark_root_key(config: &Config) -> anyhow::Result<()> {
    let mark = root_key_mark(config);
    let marked = std::fs::File::create(&mark).and_then(|mark| mark.sync_all());
    marked.with_context(|| format!("cannot write {}", mark.display()))
}

/// What the operator must still do with a root key that was made here; `None` when they said that
/// they keep a copy ([`root_key_kept`]).
#[must_use]
pub fn root_key_note(config: &Config) -> Option<String> {
    root_key_mark(config).exists().then(|| {
        format!(
            "The root key {} was made here. Copy it to a safe place off this machine NOW, apart from the \
             back-ups: without it nothing that is stored can ever be read again. When you keep a copy, say \
             `belofte keys kept`.",
            config.root_key_file().display()
        )
    })
}

/// The operator says that a copy of the root key is kept: the note ends.
///
/// # Errors
/// The mark cannot be removed.
pub fn root_key_kept(config: &Config) -> std::io::Result<()> {
    match std::fs::remove_file(root_key_mark(config)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn open_with(config: &Config, root: RootKey, clock: &Clock, random: &Random) -> anyhow::Result<Store> {
    let store = open_with_root(config, root, clock, random).await?;
    store.system().found_system().await.context("cannot make the keys of the installation")?;
    Ok(store)
}

/// Opens the stores under `root`, and goes on with the change of the root key that was cut off, if
/// one was. Keys of the installation are not made.
///
/// # Errors
/// What keeps them shut, in words for the operator: also that their keys are wrapped by another
/// root key.
pub async fn open_with_root(
    config: &Config,
    root: RootKey,
    clock: &Clock,
    random: &Random,
) -> anyhow::Result<Store> {
    let settings = store_settings(config)?;
    let open = async |root| {
        Store::open(&settings, root, clock.clone(), random.clone()).await.context("cannot open the stores")
    };
    let (file, id) = (config.root_key_file(), root.id());
    let store = open(root).await?;
    let roots = store.system().root_keys().await.context("cannot read the keys")?;
    if roots.iter().all(|known| *known == id) {
        return Ok(store);
    }
    // All keys change hands in one transaction, so one root key wraps them all, before and after.
    if let Some(next) = root_change::waiting(&file)?
        && roots.iter().all(|known| *known == next.id())
    {
        store.close().await;
        root_change::finish(&file, id)?;
        tracing::warn!(
            file = %file.display(),
            "a change of the root key that was cut off was finished. Copy the new file to a safe place off this \
             machine"
        );
        return open(next).await;
    }
    store.close().await;
    let roots: Vec<_> = roots.iter().map(ToString::to_string).collect();
    anyhow::bail!(
        "the keys here are wrapped by the root key {}, and {} holds {id}: put the right file there (a copy of it \
         lies where it was kept when it was made)",
        roots.join(", "),
        file.display()
    )
}

fn certificate(config: &Config, clock: &Clock) -> anyhow::Result<Arc<Certificate>> {
    match (config.tls.mode, &config.tls.cert_file, &config.tls.key_file) {
        (TlsMode::Files, Some(cert), Some(key)) => Ok(Certificate::from_files(cert, key)?),
        _ => {
            let folder = config.data_folder().join("tls");
            Ok(Certificate::self_signed(&folder, config.server.public_url.host(), clock.now())?)
        }
    }
}

fn smtp_tls(config: &Config, desk: &Arc<Certificate>) -> anyhow::Result<ListenerTls> {
    let certificate = match (config.smtp_tls.mode, &config.smtp_tls.cert_file, &config.smtp_tls.key_file) {
        (SmtpTlsMode::Off, ..) => return Ok(ListenerTls::None),
        (SmtpTlsMode::Files, Some(cert), Some(key)) => Certificate::from_files(cert, key)?,
        _ => Arc::clone(desk),
    };
    Ok(ListenerTls::StartTls(certificate.listener(&[])?))
}

/// The certificate authorities of a file in PEM.
///
/// # Errors
/// In words for the operator: it cannot be read, or holds none.
pub fn root_certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let shown = || format!("{}", file.display());
    let roots = CertificateDer::pem_file_iter(file).with_context(shown)?;
    let roots: Vec<_> = roots.collect::<Result<_, _>>().with_context(shown)?;
    anyhow::ensure!(!roots.is_empty(), "{} holds no certificate in PEM", file.display());
    Ok(roots)
}

fn outbound(config: &Config) -> anyhow::Result<(Outbound, Arc<rustls::ClientConfig>)> {
    let register = Register::new(config.outbound.sub_processors.clone())?;
    let outbound = Outbound::new(register, config.outbound.allow_private.clone());
    let roots = config.outbound.root_certs_file.as_deref().map(root_certificates).transpose()?;
    let roots = roots.unwrap_or_default();
    Ok((outbound, client_tls(roots)?))
}

async fn mail_listener(
    config: &Config,
    protocol: Protocol,
    bind: std::net::SocketAddr,
    tls: ListenerTls,
    intake: Intake,
) -> anyhow::Result<Listener> {
    let smtp = &config.smtp;
    let mut session = SessionSettings::new(protocol, config.smtp_hostname());
    session.postmaster = smtp.postmaster.clone();
    session.max_message = smtp.max_message_bytes.as_usize();
    let rate = |per_minute: u64| Some(Rate::per_minute(u32::try_from(per_minute).unwrap_or(u32::MAX)));
    let settings = ListenerSettings {
        tls,
        max_connections: smtp.max_connections.as_usize(),
        max_connections_per_client: smtp.max_connections_per_client.as_usize(),
        connections_per_client: rate(smtp.connections_per_minute.get()),
        messages_per_client: rate(smtp.messages_per_minute.get()),
        recipients_per_client: rate(smtp.recipients_per_minute.get()),
        messages_per_account: rate(smtp.account_messages_per_minute.get()),
        exempt: smtp.exempt.clone(),
        memory: smtp.memory_bytes.as_usize(),
        ..ListenerSettings::new(bind, session)
    };
    Listener::bind(settings, intake).await.with_context(|| format!("cannot listen for mail on {bind}"))
}

/// Runs the whole house until it is told to stop, and drains it.
///
/// # Errors
/// What kept it from starting, in words for the operator.
pub async fn serve(config: Config, clock: Clock, random: Random) -> anyhow::Result<Ended> {
    quiet_panics();
    let (outbound, client_tls) = outbound(&config)?;
    let exporter = observability::start(&config.observability, &outbound, &client_tls, &clock, &random)?;
    // Before anything is made or changed: an address that is taken is a wrong configuration.
    let figures = match config.observability.metrics_listen {
        Some(address) => Some(observability::Figures::listen(address).await?),
        None => None,
    };
    let life = Life::default();
    let folder = config.data_folder();
    make_data_folder(&config)?;
    let node = Node::take(folder, &clock, &random)?;
    let starting = life.starting();
    let store = open_store(&config, &clock, &random).await?;
    if let Some(note) = root_key_note(&config) {
        tracing::warn!("{note}");
    }
    let taken = store.system().serve_as(node.id()).await.context("cannot take over from the last process")?;
    if taken > 0 {
        tracing::info!(count = taken, "jobs that the last process of this node held are taken up again");
    }
    let mut keeper = Keeper::new(store.clone(), &config);
    let attention = keeper.attention();
    keeper.first_look().await?;
    let desk_certificate = certificate(&config, &clock)?;
    let core = Core::new(store.clone(), life.tracker.clone(), life.stop.clone());
    let (hello, register) = (config.smtp_hostname(), Arc::clone(&outbound.register));
    let testing = Submission::new(outbound.clone(), Arc::clone(&client_tls), hello, AT_THE_DESK);
    let imap = Imap::new(outbound.clone(), Arc::clone(&client_tls));
    let images = Images::new(&outbound, Arc::clone(&client_tls), config.outbound.images_from.clone());
    let services = config.push.services.clone();
    let pushing = Pushing::new(&outbound, Arc::clone(&client_tls), services, config.push_contact());
    let authorising = Authorising::new(Web::new(outbound.clone(), Arc::clone(&client_tls)));
    let servers = config.dns.servers.iter().map(|server| server.0).collect();
    let dns = Dns::new(outbound.clone(), random.clone(), servers);
    let scanner = Scanner::new(outbound.clone(), config.malware.clamd.clone());
    keeper.watch_scanner(scanner.clone()).await;
    let submission = Submission::new(outbound, client_tls, hello, Patience::default());
    let delivering = Delivering { submission, authorising: authorising.clone() };
    let processing = Processing::new(core.clone(), FILING, dns.clone(), scanner.clone());
    let max_message = config.smtp.max_message_bytes.as_usize();
    let retrieving = Retrieving {
        processing: processing.clone(),
        imap: imap.clone(),
        authorising: authorising.clone(),
        max_message,
        poll_every: Duration::from_secs(config.retrieval.poll_s.get()),
    };

    store.system().ensure_upkeep(clock.now()).await.context("cannot plan the upkeep")?;
    store.system().record_recipients().await.context("cannot keep the register of recipients")?;
    life.spawn(worker::run(core.clone(), delivering, retrieving, dns.clone(), pushing.clone()));
    life.spawn(keeper.run(life.stop.clone()));
    life.spawn(Arc::clone(&desk_certificate).watch(life.stop.clone()));
    if let Some(exporter) = exporter {
        life.spawn(exporter.run(life.stop.clone()));
    }
    let intake = Intake::Core(processing);
    let addresses = [(Protocol::Smtp, config.smtp.listen), (Protocol::Lmtp, config.smtp.lmtp_listen)];
    for (protocol, bind) in addresses {
        if let Some(bind) = bind {
            let tls = smtp_tls(&config, &desk_certificate)?;
            let listener = mail_listener(&config, protocol, bind, tls, intake.clone()).await?;
            tracing::info!(listen = %listener.local_addr()?, protocol = ?protocol, "listening for mail");
            let (tracker, stop) = (life.tracker.clone(), life.stop.clone());
            life.spawn(listener.run(tracker, stop));
        }
    }
    let views = Views::new(store.clone());
    if let Some(figures) = figures {
        tracing::info!(listen = %figures.address(), "figures are shown");
        let house =
            observability::House::new(store.clone(), views.clone(), attention.clone(), folder.to_owned());
        life.spawn(figures.serve(Arc::new(house), life.stop.clone()));
    }
    let asking = (testing, imap, authorising, dns, images, scanner, pushing);
    let router = router(&config, &core, asking, register, views.clone(), &life, attention)?;
    let listen = config.server.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!(listen = %listener.local_addr()?, "the desk is served");
    let limits = &config.limits;
    let bounds = Bounds {
        connections: limits.connections.as_usize(),
        of_one_address: limits.connections_per_address.as_usize(),
        proxies: Proxies::new(config.server.trusted_proxies.clone()),
        handshake: Duration::from_secs(limits.handshake_s.get()),
        head: Duration::from_secs(limits.head_s.get()),
        idle: Duration::from_secs(limits.idle_s.get()),
    };
    let tls = desk_certificate.listener(&[b"h2", b"http/1.1"])?;
    life.spawn(http::serve(listener, tls, router, bounds, life.tracker.clone(), life.stop.clone()));

    drop(starting);
    let ended = life.run(Duration::from_secs(limits.drain_s.get())).await?;
    // What the last requests showed. Those that did not end in time are shown nothing more.
    if let Err(error) = views.finish().await {
        tracing::error!(error = %error, "views could not be written to the ledger before the end");
    }
    if let Err(error) = store.system().watch_stores(false).await {
        tracing::warn!(error = %error, "how far the content is was not written down at the end");
    }
    store.close().await;
    // Only now may the next process take over.
    drop(node);
    Ok(ended)
}

fn share_bounds(limits: &config::Limits) -> ShareBounds {
    let few = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let bound = |caller: u64, tenant: u64| Bound { caller: few(caller), tenant: few(tenant) };
    ShareBounds {
        requests: bound(limits.requests_per_caller.get(), limits.requests_per_tenant.get()),
        searches: bound(limits.searches_per_caller.get(), limits.searches_per_tenant.get()),
        uploads: bound(limits.uploads_per_caller.get(), limits.uploads_per_tenant.get()),
        exports: bound(limits.exports_per_caller.get(), limits.exports_per_tenant.get()),
    }
}

fn router(
    config: &Config,
    core: &Core,
    (submission, imap, authorising, dns, images, scanner, pushing): (
        Submission,
        Imap,
        Authorising,
        Dns,
        Images,
        Scanner,
        Pushing,
    ),
    register: Arc<Register>,
    views: Views,
    life: &Life,
    attention: Attention,
) -> anyhow::Result<Router> {
    let limits = &config.limits;
    let invitations = u32::try_from(limits.invitations_per_address.get()).unwrap_or(u32::MAX);
    let (noting, stop) = (views.clone(), life.stop.clone());
    life.spawn(async move { noting.run(stop).await });
    let app = App {
        core: core.clone(),
        submission,
        imap,
        authorising,
        images,
        dns,
        scanner: scanner.clone(),
        pushing,
        tests: Arc::new(Tries::new(TESTS, QUARTER, NETWORKS)),
        passwords: Passwords::new(core.random().clone()),
        invitations: Arc::new(Tries::new(invitations, QUARTER, NETWORKS)),
        register,
        uploads: UploadQuota { files: limits.waiting_files.get(), bytes: limits.waiting_bytes.get() },
        shares: Arc::new(Shares::new(share_bounds(limits))),
        views,
        public_url: Arc::new(config.server.public_url.clone()),
        stop: life.stop.clone(),
    };
    let around = Around {
        clock: core.clock().clone(),
        random: core.random().clone(),
        allowance: Allowance {
            json_bytes: limits.json_bytes.as_usize(),
            attachment_bytes: limits.attachment_bytes.as_usize(),
            body_time: Duration::from_secs(limits.body_s.get()),
        },
        proxies: Proxies::new(config.server.trusted_proxies.clone()),
    };
    let (store, stop) = (core.store.clone(), life.stop.clone());
    let ready = move || {
        let (store, stop, attention) = (store.clone(), stop.clone(), attention.clone());
        // Known at once, whoever asked it last.
        attention.set(SCANNER, scanner.is_silent());
        async move {
            let ready = !stop.is_cancelled() && store.system().answers().await.is_ok();
            ready.then(|| attention.list())
        }
    };
    Ok(http::finish(api::router().with_state(app), around, ready))
}
