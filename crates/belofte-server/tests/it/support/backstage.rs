// SPDX-License-Identifier: EUPL-1.2
//! What no caller can bring about from outside, done in the stores themselves by the product's
//! own code at another time of its clock: an operator user, a session that ran out, background
//! work that failed for good.

use std::future::Future;
use std::time::Duration;

use belofte_model::{EmailAddress, JobKind, TenantId, Timestamp};
use belofte_server::config::{Config, Surroundings};
use belofte_server::house;
use belofte_store::{Access, Clock, FailJob, SignInStart, Store};
use belofte_vault::{Pii, Random, password};

use super::server::{PASSWORD, Server};

const DAY: Duration = Duration::from_secs(24 * 3_600);

impl Server {
    /// Opens the stores beside the server, with a clock that stands at `at`, does `work`, and
    /// closes them.
    fn backstage<T, F: Future<Output = T>>(&self, at: Timestamp, work: impl FnOnce(Store) -> F) -> T {
        let around = Surroundings { variables: Vec::new() };
        let config = Config::load(Some(&self.config_file()), &around).expect("the server runs with it");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let clock = Clock::manual(at);
            let store = house::open_store(&config, &clock, &Random::System).await.expect("the stores open");
            let done = work(store.clone()).await;
            store.close().await;
            done
        })
    }

    /// Makes an operator user with this address and the [`PASSWORD`].
    pub fn make_operator(&self, email: &str) {
        let email = EmailAddress::parse(email).expect("an address");
        let hash = Pii::new(password::hash(&Random::System, PASSWORD));
        self.backstage(Clock::System.now(), |store| async move {
            let name = Pii::new("Wacht".to_owned());
            store.system().create_operator(&name, &email, hash).await.expect("an operator user");
        });
    }

    /// The token of a session of the user with this address that began 31 days ago.
    pub fn expired_session(&self, email: &str) -> String {
        let email = EmailAddress::parse(email).expect("an address");
        self.backstage(Clock::System.now() - 31 * DAY, |store| async move {
            let system = store.system();
            let nowhere = std::net::Ipv4Addr::UNSPECIFIED.into();
            let attempt = match system.begin_sign_in(&email, nowhere).await.expect("the store works") {
                SignInStart::Proceed(attempt) => attempt,
                SignInStart::Wait(wait) => panic!("locked for {wait:?}"),
            };
            let tenant = attempt.candidates.first().expect("the user is known").tenant;
            let session = system.sign_in(&attempt, tenant, &Pii::new(String::new())).await;
            session.expect("a session").token.into_inner()
        })
    }

    /// Makes every delivery of the tenant that waits for its next try a dead letter. The server is
    /// stopped while this runs: it would claim them itself.
    pub fn kill_deliveries(&self, tenant: &str) {
        let tenant = TenantId(tenant.parse().expect("an id"));
        self.backstage(Clock::System.now() + 365 * DAY, |store| async move {
            let now = store.clock().now();
            let claimed = store.system().claim_jobs(tenant, 1_000, now).await.expect("the store works");
            for mut job in claimed {
                let access = Access::job(&job, store.clock().clone());
                let deliver = job.kind == JobKind::Deliver;
                if deliver {
                    job.attempts = job.kind.max_attempts();
                }
                // What is no delivery is put back as it was, due at once.
                let now = Clock::System.now();
                let fail =
                    FailJob { job, code: "store_failed", retry_in: Duration::ZERO, now, counts: deliver };
                store.write(&access, fail).await.expect("the lease holds");
            }
        });
    }
}
