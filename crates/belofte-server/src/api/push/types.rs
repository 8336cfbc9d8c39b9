// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about browsers that are told when something is new.

use ::http::Uri;
use belofte_model::{PushDeviceId, PushProblem, SessionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::schema;
use crate::api::time::Time;

/// Whether browsers are told when something is new, and which of one's own.
#[derive(Serialize, ToSchema)]
pub struct Push {
    /// Whether this installation does that at all.
    pub offered: bool,
    /// Whether the organisation allows it.
    pub allowed: bool,
    /// The key that a browser subscribes by (`applicationServerKey`); none where no browser is told anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// The push services that would learn that and when somebody is told: hosts, or all hosts below a name (`*.`).
    pub services: Vec<String>,
    /// One's own devices, the newest first.
    pub devices: Vec<PushDevice>,
}

/// A browser of one's own that is told when something is new.
#[derive(Serialize, ToSchema)]
pub struct PushDevice {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: PushDeviceId,
    /// What the browser called itself.
    pub user_agent: String,
    /// The host of its push service.
    pub service: String,
    /// Whether it belongs to the session that asks.
    pub current: bool,
    /// Why it was not told the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::PushProblem>)]
    pub problem: Option<PushProblem>,
    /// When it was told last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Time>,
    /// Since when it is one.
    pub created_at: Time,
}

impl PushDevice {
    /// `device`, for who asks in the session `own`.
    #[must_use]
    pub fn of(device: belofte_store::PushDevice, own: Option<SessionId>) -> Self {
        let service = device.endpoint.expose().parse::<Uri>().ok();
        Self {
            id: device.id,
            user_agent: device.user_agent.into_inner(),
            service: service.as_ref().and_then(Uri::host).unwrap_or_default().to_owned(),
            current: own == Some(device.session),
            problem: device.problem,
            told_at: device.told_at.map(Into::into),
            created_at: device.created_at.into(),
        }
    }
}

/// A browser that is to be told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePushDevice {
    /// Where its push service reaches it (`PushSubscription.endpoint`). The keys for contents are not taken: there are
    /// no contents.
    #[schema(min_length = 1, max_length = 2048)]
    pub endpoint: String,
}

/// What the organisation allows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowPush {
    /// Whether push services may learn that and when somebody is told.
    pub allowed: bool,
}

/// What a push service answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PushTestResult {
    /// It tells the browser.
    Told,
    /// The browser is there no more, and its device is gone from the list.
    Gone,
    /// It takes nothing of ours for this browser.
    Refused,
    /// It has no time now.
    Busy,
    /// It was not reached.
    Unreachable,
    /// It does not stand in the operator's list.
    NotListed,
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
pub struct PushTest {
    /// What the push service answered.
    pub result: PushTestResult,
}
