// SPDX-License-Identifier: EUPL-1.2
//! The app on somebody's phone that shows codes (RFC 6238).

use std::time::Duration;

use belofte_model::code_period;
use belofte_vault::TotpSecret;
use serde_json::{Value, json};

use super::client::Client;
use super::server::PASSWORD;
use super::wait;

/// An app that holds the secret of one account.
pub struct Authenticator {
    secret: TotpSecret,
    /// The last period whose code was given away.
    given: i64,
}

fn now() -> i64 {
    code_period(belofte_store::Clock::System.now())
}

/// The oldest period whose code still holds when it comes to the server: one that ends on the way is none.
fn oldest() -> i64 {
    code_period(belofte_store::Clock::System.now() + Duration::from_secs(10)) - 1
}

impl Authenticator {
    /// An app that has read `made`: a secret as the API tells it.
    ///
    /// # Panics
    /// When it is none.
    pub fn reads(made: &Value) -> Self {
        let secret = made["secret"].as_str().and_then(TotpSecret::parse).expect("a secret");
        Self { secret, given: 0 }
    }

    /// Whether a code can be given away without waiting for the next one.
    pub fn is_ready(&self) -> bool {
        self.given <= now()
    }

    /// A code that holds now and was not given away: the oldest one that holds. Waits when all that hold were.
    pub fn next(&mut self) -> String {
        let next = (self.given + 1).max(oldest());
        wait::until("the next code", Duration::from_secs(40), || (next <= now() + 1).then_some(()));
        let next = next.max(oldest());
        self.given = next;
        format!("{:06}", self.secret.code(next))
    }

    /// A code that does not hold, and will not soon.
    pub fn wrong(&self) -> String {
        let near: Vec<u32> = (-3..40).map(|periods| self.secret.code(now() + periods)).collect();
        let wrong = (0..).find(|code| !near.contains(code)).expect("most are wrong");
        format!("{wrong:06}")
    }
}

/// Sets a second factor up for who is signed in on `client`; gives the app and the recovery codes.
///
/// # Panics
/// When the server refuses.
pub fn enrol(client: &Client) -> (Authenticator, Vec<String>) {
    let mut app = Authenticator::reads(&client.post("/me/second-factor", json!({})).expect(200));
    let body = json!({ "password": PASSWORD, "code": app.next() });
    let made = client.post("/me/second-factor/confirm", body).expect(200);
    (app, recovery_codes(&made))
}

/// The recovery codes in an answer.
///
/// # Panics
/// When there are none.
pub fn recovery_codes(answer: &Value) -> Vec<String> {
    let codes = answer["recovery_codes"].as_array().expect("recovery codes");
    codes.iter().map(|code| code.as_str().expect("a code").to_owned()).collect()
}
