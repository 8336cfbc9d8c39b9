// SPDX-License-Identifier: EUPL-1.2
//! The stores of Belofte: content, keys, index and blobs, on SQLite or PostgreSQL. The only crate
//! that knows SQL.
//!
//! What this crate does *not* know: HTTP, sockets other than the database's, mail formats, and
//! who may do what (it enforces the [`Visible`](belofte_model::Visible) it is given).

mod access;
mod account_lookup;
mod account_settings;
mod api_keys;
mod attachments;
mod authorisations;
mod blob_rows;
mod blobs;
mod business_hours;
mod channel_accounts;
mod clock;
mod contact_filter;
mod contact_list;
mod contact_portion;
mod contacts;
mod content_backup;
mod conversation_changes;
mod conversation_lists;
mod conversations;
mod counters;
pub mod data_map;
mod deliveries;
mod delivery_reports;
mod drafts;
pub mod durable;
mod engine;
mod error;
mod events;
mod examine;
mod fail;
mod field_removals;
mod field_values;
mod fields;
mod figures;
mod filing;
mod filing_plan;
mod hints;
mod hits;
mod idempotency;
mod index;
mod installation;
mod intake;
mod invitations;
mod jobs;
mod key_backups;
mod keys;
mod ledger;
mod ledger_export;
mod lexicons;
mod links;
mod macros;
mod mail_accounting;
mod merges;
mod messages;
mod new_contacts;
mod new_conversations;
mod notification_lines;
mod notifications;
mod operators;
mod presence;
mod proof;
mod push_devices;
mod push_settings;
mod queue_archives;
mod queues;
mod recipients;
mod reconciling;
mod remote_images;
mod replies;
mod retrievals;
mod saved_views;
mod sealing;
mod search;
mod second_factor;
mod second_factor_rule;
mod sessions;
mod sign_in;
mod sign_in_steps;
mod signing_keys;
mod spans;
mod splits;
mod store;
mod system;
mod tags;
mod teams;
mod tenants;
mod unindexed;
mod unmerges;
mod upkeep;
mod user_facts;
mod users;
mod views;
mod visibility;
mod waiting_mail;
mod withdrawals;
mod wrapped_keys;

pub use access::{Access, Authenticated, ClaimedJob, ResolvedAccount, Who};
pub use api_keys::{ApiKey, NewApiKey};
pub use attachments::{FileName, IncomingFile, NewFile, OpenFile, ReceivedFile, UploadError, UploadQuota};
pub use authorisations::{
    AccountProvider, AuthorisationRequest, AuthorisationStanding, HeldTokens, NewProvider, Provider, Tokens,
};
pub use blob_rows::BlobKind;
pub use blobs::{Blobs, INLINE};
pub use business_hours::Opening;
pub use channel_accounts::{
    AccountForDelivery, ChannelAccount, ChannelAccountChange, ChannelAccountError, NewChannelAccount,
    NewSubmission, PasswordChange, Submission,
};
pub use clock::Clock;
pub use contact_list::{ContactPage, ContactQuestion, ListError, ListedContact};
pub use contacts::{Contact, ContactProfile, EMAIL, Identity};
pub use content_backup::ContentBackup;
pub use conversation_changes::{
    Applied, BulkOutcome, ChangeConversation, ChangeConversations, ConversationChange,
};
pub use conversation_lists::{Assignee, ConversationCounts, ConversationQuery};
pub use conversations::{Activity, Conversation, MarkSeen, Summary, Thread};
pub use deliveries::{
    BeginDelivery, Delivery, NothingDue, Outcome, RecipientRole, RecordOutcomes, RetryDeliveries,
};
pub use delivery_reports::{DeliveryReport, ReportedDelivery};
pub use drafts::{Draft, DraftContent, DraftPlace, DraftSaved, DraftWay};
pub use engine::{Migrations, Param, PostgresSettings, PostgresTls, Read, Row, Rows, Sql, Tx, Write};
pub use error::StoreError;
pub use events::{Event, Events, Fact};
pub use examine::{Examination, RoleState, SchemaState, ServerTime, examine, schemas};
pub use fail::FailPoint;
pub use field_values::{FieldOfRecord, KindPreview, PREVIEWED, RecordId, ValueChange, ValueError};
pub use fields::{Field, FieldChange, FieldError};
pub use figures::{Figures, JobFigures};
pub use filing::{Filed, IncomingMail};
pub use hints::Hints;
pub use idempotency::{Begun, IdempotencyTicket, StoredAnswer};
pub use index::{Index, Named};
pub use installation::OperatorAct;
pub use intake::{
    Arrival, FileDuplicate, IntakeSource, Quarantine, Receive, RetryQuarantined, SealedEnvelope,
};
pub use invitations::{Invitation, NewInvitation, NewUser, OpenInvitation};
pub use jobs::{DeadLetter, FailJob, FinishJob, ReviveJob};
pub use key_backups::{EPOCH, KeyBackup, KeyBackupError, KeyBackups, RestoredKeys, epoch_of, epoch_start};
pub use keys::{SYSTEM, SealedKey, TenantKeys};
pub use ledger::NewLeaf;
pub use ledger_export::{ExportPiece, LedgerCheckpoint, LedgerExport, LedgerExportError, LedgerPage};
pub use links::LinkConversations;
pub use macros::{
    Macro, MacroActions, MacroAssignee, MacroContent, MacroError, MacroStanding, MacroText, MacroTexts,
    SnoozeFor, UseMacro,
};
pub use mail_accounting::{Accounting, QuarantinePlace, Quarantined};
pub use merges::{MergeError, MergedCase};
pub use messages::{Attachment, Correspondent, Mention, Message, MessageContent};
pub use new_contacts::{AddError, Added, MOST_NEW_ADDRESSES, MOST_NEW_CONTACTS, NewPerson};
pub use new_conversations::NewConversation;
pub use notification_lines::{Notification, NotificationLines};
pub use operators::{NewOperatorSession, Operator};
pub use presence::PresenceRow;
pub use push_devices::{NewPushDevice, PUSH_DEVICES, PushDevice, PushDeviceError, PushOutcome, PushTarget};
pub use push_settings::PushSetting;
pub use queue_archives::QueueMoving;
pub use queues::{MOST_QUEUES, Queue, QueueChange, QueueError, QueueSetUp};
pub use recipients::{ChosenRecipient, RecipientCount};
pub use reconciling::{Reconciled, SentMailbox};
pub use remote_images::{IMAGES_SIZE, ImageChoices, ImagesFor, RemoteImage};
pub use replies::{AbandonSending, Handling, Outgoing, ReplyThread};
pub use retrievals::{AccountForRetrieval, NewRetrieval, Noted, Retrieval, RetrievalStanding};
pub use saved_views::{SavedView, ViewAssignee, ViewContent};
pub use search::{Hit, Hits, SuggestedContact};
pub use second_factor::{NewRecoveryCodes, NewSecret, SecondFactor, SecondFactorError};
pub use second_factor_rule::SecondFactorRuleChange;
pub use sessions::{NewSession, Session};
pub use sign_in::{OperatorCandidate, OperatorTry, SignInCandidate, SignInStart, SignInTry};
pub use sign_in_steps::{NewStep, OpenStep, SecondStep, SignInNext};
pub use signing_keys::{MailSigner, SigningDomain, SigningKey, signing_domain};
pub use splits::{NewSplit, SplitError};
pub use store::{EngineSettings, MIGRATIONS, Store, StoreSettings};
pub use system::SystemTx;
pub use tags::{Tag, TagChange, TagError};
pub use teams::{MOST_MEMBERS, MOST_TEAMS, Team, TeamChange, TeamError, TeamSetUp};
pub use tenants::{Founded, Slug, Tenant, TenantSummary};
pub use unindexed::UNINDEXED_LIMIT;
pub use upkeep::{Doubt, RotationProgress, TenantDoubt};
pub use users::{OwnPassword, Preferences, User, UserChange, UserChangeError};
pub use views::{ViewKind, Views};
pub use waiting_mail::WaitingMail;
pub use withdrawals::{NOTE_TAKEN_BACK, WithdrawMessage};

#[cfg(test)]
mod tests;
