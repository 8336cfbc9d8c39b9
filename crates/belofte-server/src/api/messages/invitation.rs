// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about appointments in mails.

use belofte_model::{self as model, CalendarTime, InvitationMethod};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::conversations::Mailbox;
use crate::api::schema;
use crate::api::time::Time;

/// An appointment that a mail speaks of. It was read, and nothing was done with it.
#[derive(Serialize, ToSchema)]
pub struct Appointment {
    /// What is asked or told.
    #[schema(value_type = schema::InvitationMethod)]
    pub method: InvitationMethod,
    /// What it is about.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Where.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub location: String,
    /// When it begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<AppointmentTime>,
    /// When it ends; of whole days the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<AppointmentTime>,
    /// Whether it comes again.
    pub recurs: bool,
    /// How many more appointments its file holds.
    pub more: u32,
    /// Who organises it; left out for who does not see addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organiser: Option<Mailbox>,
}

/// A moment in a calendar: exactly one of these is there.
#[derive(Serialize, ToSchema)]
pub struct AppointmentTime {
    /// An instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// A whole day, such as `2026-12-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// A time whose zone nobody knows, such as `2026-12-01T10:00:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<String>,
}

impl From<CalendarTime> for AppointmentTime {
    fn from(time: CalendarTime) -> Self {
        let none = Self { at: None, day: None, local: None };
        match time {
            CalendarTime::At(at) => Self { at: Some(at.into()), ..none },
            CalendarTime::Day(day) => Self { day: Some(day), ..none },
            CalendarTime::Local(local) => Self { local: Some(local), ..none },
        }
    }
}

impl From<model::Invitation> for Appointment {
    fn from(told: model::Invitation) -> Self {
        let organiser = Mailbox { name: told.organiser_name, address: told.organiser_address };
        Self {
            method: told.method,
            summary: told.summary,
            location: told.location,
            starts: told.starts.map(Into::into),
            ends: told.ends.map(Into::into),
            recurs: told.recurs,
            more: told.more,
            organiser: (!organiser.name.is_empty() || !organiser.address.is_empty()).then_some(organiser),
        }
    }
}
