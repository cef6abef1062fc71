//! Where the shared ledger is, and the way there: address, password, TLS, time limits.
//!
//! TLS is not a matter of choice: only a server on this machine is spoken to without it.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::config::{ChannelBinding, Host, SslMode, TargetSessionAttrs};
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::session::{Session, Waiting};
use crate::clock::within;
use crate::ledger::seals::Seals;
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::place::{Place, in_words};
use crate::random::Randomness;

/// The schema our tables are in.
pub(super) const SCHEMA: &str = "tagih";
/// How long one try to connect may take.
const CONNECT_SECONDS: u64 = 10;
/// How long a statement may run, in milliseconds. What is long is asked for piece by piece.
const STATEMENT_MS: u32 = 60_000;
/// How long a writer waits for its turn before it tries again, in milliseconds.
const LOCK_MS: u32 = 10_000;
/// How long a writer may stop in the middle of a transaction before the server ends it, in milliseconds, and no longer than a lease lasts:
/// others wait meanwhile.
const IDLE_MS: u32 = 15_000;
/// How long the other end may be silent before it is taken for gone.
const SILENT_SECONDS: u64 = 20;
/// How much longer than its longest statement a server is waited for that keeps the connection and answers nothing.
const SPARE_MS: u64 = 10_000;

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// To read, where any server will do, also one that only follows.
    Read,
    /// To read what was just written, so only the one that leads. A view may be kept for as long as it is needed.
    View,
    /// To write, and let others have their turn.
    Write,
}

/// A PostgreSQL server with a database for the ledger.
#[derive(Clone, Debug)]
pub struct PostgresServer {
    config: Config,
    tls: Option<Tls>,
    place: Place,
    /// How long a server that cannot be reached is waited for.
    pub(super) patience: Duration,
    /// How long a lease lasts that is not renewed.
    pub(super) lease: Duration,
    /// How long an answer is waited for.
    pub(super) silence: Duration,
    /// What the seals of its ledger are made with.
    pub(super) seals: Seals,
    /// For the jitter of waiting.
    pub(super) randomness: Arc<dyn Randomness>,
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug)]
pub struct ServerAccess<'a> {
    /// The user's password; none where the server asks for none.
    pub password: Option<&'a SecretString>,
    /// The authorities (PEM) of which one must have signed the server's certificate; none for those that this machine trusts.
    pub ca_file: Option<&'a Path>,
    /// How long a server that cannot be reached is waited for.
    pub patience: Duration,
    /// How long a lease lasts that is not renewed.
    pub lease: Duration,
    /// What the seals of its ledger are made with.
    pub seals: &'a Seals,
}

#[derive(Clone)]
struct Tls(MakeRustlsConnect);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl PostgresServer {
    /// The server at `url` (`postgres://user@host:port/database`). The error is a sentence about the setting.
    pub fn new(url: &str, access: &ServerAccess<'_>, randomness: Arc<dyn Randomness>) -> Result<Self, String> {
        let ServerAccess { password, ca_file, patience, lease, seals } = *access;
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err("it must begin with `postgres://`".into());
        }
        // What libpq calls so is what is always done here.
        let url = url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| in_words(&error))?;
        if config.get_password().is_some() {
            return Err("a password does not belong in it: put it into `ledger.password_file`, TAGIH_LEDGER_PASSWORD or a systemd \
                        credential named `ledger_password`"
                .into());
        }
        if config.get_hosts().is_empty() || config.get_user().is_none() || config.get_dbname().is_none() {
            return Err("it must name user, host and database".into());
        }
        if let Some(password) = password {
            config.password(password.expose_secret());
        }
        let is_here = config.get_hosts().iter().all(is_this_machine);
        let wants_tls = !is_here || config.get_ssl_mode() == SslMode::Require || ca_file.is_some();
        if !is_here && config.get_ssl_mode() == SslMode::Disable {
            return Err("`sslmode=disable` is for a server on this machine only".into());
        }
        config.ssl_mode(if wants_tls { SslMode::Require } else { SslMode::Disable });
        config
            .application_name("tagih")
            .channel_binding(ChannelBinding::Prefer)
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS))
            .tcp_user_timeout(Duration::from_secs(SILENT_SECONDS))
            .keepalives_idle(Duration::from_secs(SILENT_SECONDS));
        let tls = wants_tls.then(|| connector(ca_file)).transpose()?;
        let place = Place::new(Path::new(&shown(&config)));
        let silence = Duration::from_millis(SPARE_MS.saturating_add(STATEMENT_MS.into()));
        Ok(Self { config, tls, place, patience, lease, silence, seals: seals.clone(), randomness })
    }

    /// The same, with a ledger whose seals are made so.
    pub(in crate::ledger) fn sealed(self, seals: &Seals) -> Self {
        Self { seals: seals.clone(), ..self }
    }

    /// What it is called in messages: its address, without any secret.
    #[must_use]
    pub fn name(&self) -> String {
        self.place.name()
    }

    /// Its name on errors.
    pub(super) const fn place(&self) -> &Place {
        &self.place
    }

    /// One try. Must run where the session is to be driven.
    pub(super) async fn connect(&self, access: Access) -> Result<Session, Fault> {
        let connecting = self.connected(access);
        match within(Duration::from_secs(CONNECT_SECONDS.saturating_mul(2)), connecting).await {
            Some(connected) => connected,
            None => Err(Fault::Unreachable("it does not answer".into())),
        }
    }

    async fn connected(&self, access: Access) -> Result<Session, Fault> {
        let mut config = self.config.clone();
        let given = config.get_options().map(|options| format!("{options} ")).unwrap_or_default();
        let limits = match access {
            Access::Read => "-c default_transaction_read_only=on".to_owned(),
            Access::View => String::new(),
            Access::Write => {
                let idle_ms = u128::from(IDLE_MS).min(self.lease.as_millis()).max(1);
                format!("-c lock_timeout={LOCK_MS} -c idle_in_transaction_session_timeout={idle_ms}")
            }
        };
        config.options(format!("{given}-c search_path={SCHEMA} -c statement_timeout={STATEMENT_MS} {limits}"));
        if access != Access::Read {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        // The task ends with the session's last handle, with the connection, or with an answer that does not come.
        let waiting = Waiting::default();
        let client = if let Some(Tls(tls)) = self.tls.clone() {
            let (client, connection) = config.connect(tls).await?;
            drop(tokio::spawn(waiting.clone().drive(connection, self.silence)));
            client
        } else {
            let (client, connection) = config.connect(NoTls).await?;
            drop(tokio::spawn(waiting.clone().drive(connection, self.silence)));
            client
        };
        Session::begin(client, waiting, self.seals.clone()).await
    }
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}

fn shown(config: &Config) -> String {
    let hosts = config.get_hosts().iter().zip(config.get_ports().iter().chain(std::iter::repeat(&5432)));
    let hosts: Vec<String> = hosts
        .map(|(host, port)| match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(folder) => format!("{}:{port}", folder.display()),
        })
        .collect();
    format!("postgres://{}@{}/{}", config.get_user().unwrap_or_default(), hosts.join(","), config.get_dbname().unwrap_or_default())
}

fn connector(ca_file: Option<&Path>) -> Result<Tls, String> {
    let mut roots = RootCertStore::empty();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    if let Some(file) = ca_file {
        let unreadable =
            |why: &dyn std::fmt::Display| format!("the certificates of `ledger.ca_file = \"{}\"` cannot be read: {why}", file.display());
        for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unreadable(&error))? {
            roots.add(certificate.map_err(|error| unreadable(&error))?).map_err(|error| unreadable(&error))?;
        }
        if roots.is_empty() {
            return Err(unreadable(&"there is none in it"));
        }
    } else {
        // Whoever sets them would decide whom this program takes for the ledger's server.
        if let Some(name) =
            ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
        {
            return Err(format!(
                "{name} is set, and is not what decides whom to trust; unset it for tagih, or name the file of certificates as `ledger.ca_file`"
            ));
        }
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err("this machine trusts no certificate authority; name the server's in `ledger.ca_file`".into());
        }
    }
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Tls(MakeRustlsConnect::new(config)))
}
