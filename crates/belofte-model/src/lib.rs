// SPDX-License-Identifier: EUPL-1.2
//! The nouns of Belofte, their typed identities and the pure decisions about them.
//!
//! What this crate does *not* know: I/O, SQL, HTTP, keys, the current time and chance.
//! Every decision takes the time as an argument and can be tested through 84 days in a
//! millisecond.

mod access;
mod authorisation;
mod business_hours;
mod channel_account;
mod conversation;
mod decimal;
mod delivery;
mod draft;
mod event;
mod field;
mod field_option;
mod field_value;
mod filter;
mod holiday;
mod id;
mod intake;
mod job;
mod key;
mod ledger;
mod mail_authentication;
mod mail_content;
mod message;
mod notification;
mod places;
mod presence;
mod purpose;
mod push;
mod retrieval;
mod second_factor;
mod sign_in;
mod signing;
mod tag;
mod time;
mod user;

pub use access::{Actor, BuiltInField, Permission, Role, Scope, Subset, Visible};
pub use authorisation::{SignInWith, TokenProblem, token_used_until};
pub use business_hours::{
    BusinessHours, DEFAULT_ZONE, HoursException, HoursFault, HoursProblem, HoursSettings, MOST_EXCEPTIONS,
    MOST_SPANS, OpenSpan,
};
pub use channel_account::{
    AccountState, ChannelKind, EmailAddress, EmailAddressError, LineSecurity, signed_as,
};
pub use conversation::{
    ConversationStatus, Incoming, SNOOZE_MOST, Standing, may_snooze, on_incoming, on_merge, on_reply,
};
pub use decimal::{Decimal, DecimalError};
pub use delivery::{DELAYED, DeliveryState, FOUND_IN_SENT, Reported, RetrySchedule, next_look, on_report};
pub use draft::DraftKind;
pub use event::EventKind;
pub use field::{
    Audience, FieldFault, FieldKind, FieldOverride, FieldRules, FieldSettings, HELP_MOST, LABEL_MOST,
    MOST_FIELDS, OVERRIDE_DAYS_MOST, OwnWords, PATTERN_MOST, REASON_MOST, RecordKind, Sensitivity,
};
pub use field_option::{FieldOption, MOST_FORMER, MOST_NUMBER, MOST_OPTIONS, OptionNames};
pub use field_value::{FieldValue, GivenValue, Money, PostalAddress, ValueFault};
pub use filter::{Condition, Filter, MOST_COLUMNS, MOST_CONDITIONS, Order, SOUGHT_MOST, Subject, Test};
pub use holiday::Holiday;
pub use id::*;
pub use intake::{IntakeState, QuarantineReason};
pub use job::{JobKind, JobState, WorkClass};
pub use key::{Column, KeyClass, KeyState};
pub use ledger::{LedgerKind, Outcome};
pub use mail_authentication::{
    DkimCheck, DkimResult, DmarcCheck, DmarcPolicy, DmarcResult, MailAuthentication, SenderVerdict, SpfCheck,
    SpfResult, is_within,
};
pub use mail_content::{CalendarTime, Invitation, InvitationMethod, MailCover, MailSort};
pub use message::{AuthorKind, Direction, MessageKind};
pub use notification::{NotificationKind, NotificationWays};
pub use places::{Places, TURN, Turn, Waiting, may_take, whose_turn};
pub use presence::{PresenceState, Present, people, writer};
pub use purpose::{Purpose, Use};
pub use push::{PUSH_WORTH, PushProblem, next_push, push_ttl};
pub use retrieval::{AfterRetrieval, FolderPosition, RetrievalProblem};
pub use second_factor::{
    CODE_STEP_LIFE, ENROLMENT_LIFE, FactorMethod, GivenCode, RECOVERY_CODES, STEPS_OF_ORIGIN, STEPS_OF_USER,
    SecondFactorRule, SignInStepKind, code_period,
};
pub use sign_in::{
    Failures, INVITATION_LIFE, LockOut, OPERATOR_SESSION_LIFE, SEEN_EVERY, SESSION_IDLE, SESSION_LIFE,
    session_holds, worth_noting,
};
pub use signing::{RecordProblem, SigningState, next_look_at_record};
pub use tag::{TagColour, fold_tag_name, tag_name};
pub use time::{Duration, Language, Timestamp};
pub use user::{ColourScheme, UserState};
