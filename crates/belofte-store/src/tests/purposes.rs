// SPDX-License-Identifier: EUPL-1.2
//! Why an access was made decides what it can be used for (decision 13): each function that takes
//! one is called for each purpose.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use belofte_model::{
    ApiKeyId, AttachmentId, ChannelAccountId, ContactId, ConversationId, FieldId, FieldKind, GivenCode,
    IntakeId, InvitationId, JobId, JobKind, Language, MacroId, MessageId, MessageKind, NodeId, Purpose,
    PushDeviceId, QueueId, RecordKind, RequestId, Role, SavedViewId, Scope, SessionId, SigningKeyId,
    TagColour, TagId, TeamId, Timestamp, Use, UserId,
};
use belofte_vault::Pii;
use uuid::Uuid;

use super::authorisations::{request, tokens};
use super::channel_accounts::{mailbox, read_at};
use super::house::{House, houses};
use crate::retrievals::SealedRetrieval;
use crate::{
    Access, AddError, Assignee, ChangeConversation, ChannelAccountChange, ChannelAccountError, ClaimedJob,
    ContactProfile, ContactQuestion, ConversationChange, ConversationQuery, DraftPlace, FieldChange,
    FieldError, ImagesFor, LedgerExportError, ListError, MacroContent, MacroError, MarkSeen, MergeError,
    MessageContent, NewConversation, NewFile, NewSplit, Outgoing, PasswordChange, Preferences,
    PushDeviceError, PushOutcome, QueueChange, QueueError, RecordId, ReviveJob, SecondFactorError,
    SecondFactorRuleChange, SplitError, StoreError, TagChange, TagError, TeamChange, TeamError, UploadQuota,
    UserChange, UserChangeError, ValueError, ViewContent,
};

/// What each function is used for; `None` where it is for any purpose.
const USES: &[(&str, Option<Use>)] = &[
    ("abandon_request", None),
    ("account_for_delivery", Some(Use::UseSecret)),
    ("account_for_retrieval", Some(Use::Receive)),
    ("accounting", Some(Use::Account)),
    ("activities", Some(Use::Look)),
    ("add_push_device", Some(Use::Configure)),
    ("allow_push", Some(Use::Configure)),
    ("add_contacts", Some(Use::Answer)),
    ("api_keys", Some(Use::Name)),
    ("archive_queue", Some(Use::Configure)),
    ("attachment", Some(Use::ReadMessage)),
    ("authorisation_standings", Some(Use::Name)),
    ("begin_authorisation", Some(Use::Configure)),
    ("begin_request", None),
    ("begin_second_factor", Some(Use::Configure)),
    ("change_channel_account", Some(Use::Configure)),
    ("change_contact", Some(Use::Answer)),
    ("change_field", Some(Use::Configure)),
    ("change_fields_of", Some(Use::Answer)),
    ("change_macro", Some(Use::Configure)),
    ("change_queue", Some(Use::Configure)),
    ("change_saved_view", Some(Use::Configure)),
    ("change_tag", Some(Use::Configure)),
    ("change_team", Some(Use::Configure)),
    ("change_user", Some(Use::Configure)),
    ("channel_account", Some(Use::Name)),
    ("channel_accounts", Some(Use::Name)),
    ("choose_images", Some(Use::Answer)),
    ("choose_notification_ways", Some(Use::Configure)),
    ("chosen_recipients", Some(Use::Name)),
    ("claim_renewal", Some(Use::UseToken)),
    ("confirm_second_factor", Some(Use::Configure)),
    ("contact", Some(Use::Look)),
    ("conversation", Some(Use::Look)),
    ("conversation_by_number", Some(Use::Look)),
    ("conversation_counts", Some(Use::Look)),
    ("conversation_in_force", Some(Use::Look)),
    ("conversations", Some(Use::Look)),
    ("conversations_by_id", Some(Use::Look)),
    ("create_channel_account", Some(Use::Configure)),
    ("create_field", Some(Use::Configure)),
    ("create_macro", Some(Use::Configure)),
    ("create_queue", Some(Use::Configure)),
    ("create_saved_view", Some(Use::Configure)),
    ("create_signing_key", Some(Use::Configure)),
    ("create_tag", Some(Use::Configure)),
    ("create_team", Some(Use::Configure)),
    ("dead_letters", Some(Use::Account)),
    ("default_queue", Some(Use::Name)),
    ("drafts", Some(Use::Look)),
    ("drafts_in", Some(Use::Look)),
    ("end_authorisation", Some(Use::UseToken)),
    ("end_session", Some(Use::Configure)),
    ("events", Some(Use::Follow)),
    ("export_ledger", Some(Use::Oversee)),
    ("field_set_up", Some(Use::Configure)),
    ("field_set_ups", Some(Use::Configure)),
    ("fields", Some(Use::Name)),
    ("fields_of", Some(Use::Look)),
    ("file", Some(Use::Receive)),
    ("file_at_door", Some(Use::Receive)),
    ("file_copy", Some(Use::Receive)),
    ("finish_request", None),
    ("give_up_renewal", Some(Use::UseToken)),
    ("held_tokens", Some(Use::UseToken)),
    ("image_choices", Some(Use::Name)),
    ("index", Some(Use::Maintain)),
    ("intake_source", Some(Use::ReadSource)),
    ("invitations", Some(Use::Configure)),
    ("keep_presence", Some(Use::Maintain)),
    ("keep_remote_images", Some(Use::Answer)),
    ("keep_renewed", Some(Use::UseToken)),
    ("keys", None),
    ("ledger_page", Some(Use::Oversee)),
    ("list_contacts", Some(Use::Look)),
    ("linked_conversations", Some(Use::Look)),
    ("macro_with_texts", Some(Use::Name)),
    ("macros", Some(Use::Name)),
    ("mail_signer", Some(Use::Send)),
    ("mark_notifications", Some(Use::Answer)),
    ("may_upload", Some(Use::Answer)),
    ("mentionable", Some(Use::Look)),
    ("merge_conversations", Some(Use::Answer)),
    ("merge_index", Some(Use::Maintain)),
    ("merge_tag", Some(Use::Configure)),
    ("merged_conversations", Some(Use::Look)),
    ("message", Some(Use::ReadMessage)),
    ("message_source", Some(Use::ReadSource)),
    ("message_to_answer", Some(Use::Answer)),
    ("messages", Some(Use::ReadMessage)),
    ("note_push", Some(Use::Notify)),
    ("note_retrieval", Some(Use::Receive)),
    ("note_signing_record", Some(Use::Configure)),
    ("notification_ways", Some(Use::Configure)),
    ("notifications", Some(Use::Look)),
    ("open_conversation", Some(Use::Answer)),
    ("order_fields", Some(Use::Configure)),
    ("order_queues", Some(Use::Configure)),
    ("own_password", Some(Use::Configure)),
    ("participants", Some(Use::Look)),
    ("place_of_case", Some(Use::Follow)),
    ("prepare_api_key", Some(Use::Configure)),
    ("prepare_invitation", Some(Use::Configure)),
    ("prepare_password", Some(Use::Configure)),
    ("presence_elsewhere", Some(Use::Maintain)),
    ("preview_kind", Some(Use::Preview)),
    ("provider", Some(Use::UseToken)),
    ("push_devices", Some(Use::Configure)),
    ("push_setting", Some(Use::Name)),
    ("push_target", Some(Use::Notify)),
    ("quarantine", Some(Use::Account)),
    ("queue_openings", Some(Use::Name)),
    ("queue_set_up", Some(Use::Configure)),
    ("queues", Some(Use::Name)),
    // What it took is nothing before `upload` keeps it.
    ("receive_file", None),
    ("remote_images", Some(Use::ReadMessage)),
    ("remove_channel_account", Some(Use::Configure)),
    ("remove_field", Some(Use::Configure)),
    ("remove_macro", Some(Use::Configure)),
    ("remove_push_device", Some(Use::Configure)),
    ("remove_saved_view", Some(Use::Configure)),
    ("remove_second_factor", Some(Use::Configure)),
    ("renew_recovery_codes", Some(Use::Configure)),
    ("reset_second_factor", Some(Use::Configure)),
    ("restore_queue", Some(Use::Configure)),
    ("retrieval_standings", Some(Use::Name)),
    ("retrieval_with_password", Some(Use::UseSecret)),
    ("reply_thread", Some(Use::Look)),
    ("revoke_api_key", Some(Use::Configure)),
    ("revoke_invitation", Some(Use::Configure)),
    ("save_draft", Some(Use::Answer)),
    ("saved_views", Some(Use::Name)),
    ("search", Some(Use::Look)),
    ("second_factor", Some(Use::Configure)),
    ("second_factor_reset_seen", Some(Use::Configure)),
    ("second_factor_rule", Some(Use::Configure)),
    ("sent_mailbox", Some(Use::UseSecret)),
    ("sessions", Some(Use::Configure)),
    ("set_second_factor_rule", Some(Use::Configure)),
    ("set_business_hours", Some(Use::Configure)),
    ("settle_authorisation", Some(Use::Configure)),
    ("set_preferences", Some(Use::Configure)),
    ("split_conversation", Some(Use::Answer)),
    ("signing_domains", Some(Use::Name)),
    ("signing_key", Some(Use::Name)),
    ("suggest_contacts", Some(Use::Look)),
    ("suggest_words", Some(Use::Look)),
    ("tags", Some(Use::Name)),
    ("take_authorisation_request", Some(Use::Configure)),
    ("team_set_up", Some(Use::Configure)),
    ("teams", Some(Use::Configure)),
    ("tenant", Some(Use::Name)),
    ("thread_of_number", Some(Use::Receive)),
    ("is_own_reply", Some(Use::Receive)),
    ("threads", Some(Use::Look)),
    ("unmerge_conversations", Some(Use::Answer)),
    ("unsplit_conversation", Some(Use::Answer)),
    ("try_waiting_mail", Some(Use::Configure)),
    ("upkeep", Some(Use::Maintain)),
    ("upload", Some(Use::Answer)),
    ("user", Some(Use::Name)),
    ("users", Some(Use::Name)),
    ("withdraw_signing_key", Some(Use::Configure)),
    // As the change that is written says, below.
    ("waiting_mail", Some(Use::Name)),
    ("write", None),
    ("write_answered", None),
    ("write_marked", None),
    ("write_out", Some(Use::Answer)),
];

/// Those that need a claimed job or a sealed mail, which this test does not make: their purpose is
/// read in the source alone.
const NEED_MORE: [&str; 4] = ["file", "file_at_door", "file_copy", "upkeep"];

fn merged(result: Result<(), MergeError>) -> Result<(), StoreError> {
    match result {
        Err(MergeError::Store(error)) => Err(error),
        _ => Ok(()),
    }
}

/// The functions of the store that anybody outside can call and that take an access.
pub(super) fn functions() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    for folder in [folder.clone(), folder.join("upkeep"), folder.join("key_backups")] {
        for file in fs::read_dir(folder).expect("the source") {
            let path = file.expect("an entry").path();
            if path.extension().is_none_or(|end| end != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a text");
            let mut of_store = false;
            for (at, line) in text.lines().enumerate() {
                if line.starts_with("impl") {
                    of_store = line == "impl Store {";
                }
                let Some(rest) = line.strip_prefix("    pub async fn ").or(line.strip_prefix("    pub fn "))
                else {
                    continue;
                };
                let head: String = text.lines().skip(at).take_while(|line| !line.ends_with('{')).collect();
                let last = text.lines().skip(at).find(|line| line.ends_with('{')).unwrap_or_default();
                if of_store && (head + last).contains("access: &Access") {
                    found.insert(rest.split(['(', '<']).next().expect("a name").to_owned());
                }
            }
        }
    }
    found
}

fn source(file: &Path) -> String {
    fs::read_to_string(file).expect("the source")
}

fn files() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    for folder in [folder.clone(), folder.join("upkeep")] {
        let entries = fs::read_dir(folder).expect("the source").map(|entry| entry.expect("an entry").path());
        all.extend(entries.filter(|path| path.extension().is_some_and(|end| end == "rs")));
    }
    all
}

#[test]
fn every_function_that_takes_an_access_begins_with_what_it_is_used_for() {
    let told: BTreeSet<String> = USES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(functions().symmetric_difference(&told).collect::<Vec<_>>(), Vec::<&String>::new());
    let all: String = files().iter().map(|file| source(file)).collect();
    for (name, what) in USES {
        let Some(what) = what else { continue };
        let (_, rest) = all.split_once(&format!("    pub async fn {name}(")).expect("the function");
        let body = rest.split_once("{\n").expect("a body").1.trim_start();
        let expected = format!("access.to(Use::{what:?})?;");
        assert!(body.starts_with(&expected), "{name} does not begin with {expected}");
    }
}

#[test]
fn every_change_that_others_can_write_says_what_it_is_used_for() {
    let all: String = files().iter().map(|file| source(file)).collect();
    let mut changes = 0;
    for part in all.split("impl Write for ").skip(1) {
        let name = part.split([' ', '<']).next().expect("a name");
        let public = [" {", "("].iter().any(|after| all.contains(&format!("pub struct {name}{after}")));
        if public {
            changes += 1;
            let body = part.split("async fn run").next().expect("a body");
            assert!(body.contains("const USE: Option<Use> = "), "{name} does not say what it is used for");
        }
    }
    assert!(changes > 10, "the source is read: {changes}");
}

fn of_macro(error: MacroError) -> Result<(), StoreError> {
    match error {
        MacroError::Store(error) => Err(error),
        MacroError::TooMany => Ok(()),
    }
}

fn account(error: ChannelAccountError) -> StoreError {
    match error {
        ChannelAccountError::Store(error) => error,
        ChannelAccountError::AddressTaken | ChannelAccountError::NoSuchQueue => StoreError::Conflict,
    }
}

/// What the store itself refused.
fn of_tag(error: TagError) -> Result<(), StoreError> {
    match error {
        TagError::Store(error) => Err(error),
        TagError::NameTaken | TagError::NoSuchTag => Ok(()),
    }
}

fn of_factor(error: SecondFactorError) -> Result<(), StoreError> {
    match error {
        SecondFactorError::Store(error) => Err(error),
        _ => Ok(()),
    }
}

fn of_queue(done: Result<(), QueueError>) -> Result<(), StoreError> {
    match done {
        Err(QueueError::Store(error)) => Err(error),
        _ => Ok(()),
    }
}

fn of_field(result: Result<(), FieldError>) -> Result<(), StoreError> {
    match result {
        Err(FieldError::Store(error)) => Err(error),
        _ => Ok(()),
    }
}

fn of_team(done: Result<(), TeamError>) -> Result<(), StoreError> {
    match done {
        Err(TeamError::Store(error)) => Err(error),
        _ => Ok(()),
    }
}

/// Calls a function with ids of nothing.
#[expect(clippy::too_many_lines, reason = "one arm for each function of the table")]
async fn call(house: &House, access: &Access, function: &str) -> Result<(), StoreError> {
    let (store, id) = (&house.store, Uuid::from_u128(7));
    let (case, message, mailbox_id) = (ConversationId(id), MessageId(id), ChannelAccountId(id));
    let query = ConversationQuery {
        status: None,
        assignee: Assignee::Any,
        queue: None,
        tag: None,
        contact: None,
        after: None,
        limit: 1,
    };
    match function {
        "account_for_delivery" => store.account_for_delivery(access, mailbox_id).await.map(drop),
        "account_for_retrieval" => store.account_for_retrieval(access, mailbox_id).await.map(drop),
        "accounting" => store.accounting(access, mailbox_id).await.map(drop),
        "note_retrieval" => {
            let entered = read_at("mail.bakker.example", PasswordChange::Keep);
            let sealed = SealedRetrieval::new(entered, None, access.clock().now());
            let job = ClaimedJob {
                tenant: access.tenant(),
                id: JobId(id),
                kind: JobKind::Retrieve,
                subject: id,
                attempts: 0,
                fence: 1,
            };
            store.note_retrieval(access, &job, &sealed.shown(), None, crate::Noted::Same, None).await
        }
        "create_signing_key" => store.create_signing_key(access, None, "bakker.example").await.map(drop),
        "mail_signer" => store.mail_signer(access, &super::house::email("a@bakker.example")).await.map(drop),
        "note_signing_record" => {
            let key = super::signing_keys::nothing(access.clock().now());
            store.note_signing_record(access, &key, None, None).await
        }
        "signing_domains" => store.signing_domains(access).await.map(drop),
        "signing_key" => store.signing_key(access, SigningKeyId(id)).await.map(drop),
        "withdraw_signing_key" => store.withdraw_signing_key(access, SigningKeyId(id)).await,
        "authorisation_standings" => store.authorisation_standings(access).await.map(drop),
        "begin_authorisation" => store.begin_authorisation(access, mailbox_id, request()).await,
        "claim_renewal" => store.claim_renewal(access, mailbox_id, 1).await.map(drop),
        "end_authorisation" => store.end_authorisation(access, mailbox_id, 1).await,
        "give_up_renewal" => store.give_up_renewal(access, mailbox_id, 1).await,
        "held_tokens" => store.held_tokens(access, mailbox_id).await.map(drop),
        "keep_renewed" => store.keep_renewed(access, mailbox_id, 1, tokens("t", access.clock().now())).await,
        "provider" => store.provider(access, mailbox_id).await.map(drop),
        "sent_mailbox" => store.sent_mailbox(access, mailbox_id).await.map(drop),
        "settle_authorisation" => store.settle_authorisation(access, mailbox_id, None).await,
        "take_authorisation_request" => store.take_authorisation_request(access, mailbox_id).await.map(drop),
        "retrieval_standings" => store.retrieval_standings(access).await.map(drop),
        "retrieval_with_password" => store.retrieval_with_password(access, mailbox_id).await.map(drop),
        "activities" => store.activities(access, case).await.map(drop),
        "add_contacts" => match store.add_contacts(access, &[]).await {
            Err(AddError::Store(error)) => Err(error),
            _ => Ok(()),
        },
        "api_keys" => store.api_keys(access).await.map(drop),
        "attachment" => store.attachment(access, AttachmentId(id)).await.map(drop),
        "change_channel_account" => {
            let change = ChannelAccountChange::default();
            store.change_channel_account(access, mailbox_id, change).await.map(drop).map_err(account)
        }
        "change_contact" => store.change_contact(access, ContactId(id), &ContactProfile::default()).await,
        "change_user" => match store.change_user(access, UserId(id), UserChange::default()).await {
            Err(UserChangeError::Store(error)) => Err(error),
            _ => Ok(()),
        },
        "channel_account" => store.channel_account(access, mailbox_id).await.map(drop),
        "channel_accounts" => store.channel_accounts(access).await.map(drop),
        "chosen_recipients" => store.chosen_recipients(access).await.map(drop),
        "contact" => store.contact(access, ContactId(id)).await.map(drop),
        "list_contacts" => match store.list_contacts(access, ContactQuestion::default()).await {
            Err(ListError::Store(error)) => Err(error),
            _ => Ok(()),
        },
        "conversation" => store.conversation(access, case).await.map(drop),
        "conversation_counts" => store.conversation_counts(access).await.map(drop),
        "conversation_by_number" => store.conversation_by_number(access, 1).await.map(drop),
        "conversation_in_force" => store.conversation_in_force(access, case).await.map(drop),
        "linked_conversations" => store.linked_conversations(access, case).await.map(drop),
        "merged_conversations" => store.merged_conversations(access, case).await.map(drop),
        "merge_conversations" => merged(store.merge_conversations(access, case, &[], true).await),
        "unmerge_conversations" => merged(store.unmerge_conversations(access, case, &[case]).await),
        "unsplit_conversation" => merged(store.unsplit_conversation(access, case).await.map(drop)),
        "split_conversation" => {
            let new = NewSplit { from: case, id: case, messages: Vec::new(), subject: None };
            match store.split_conversation(access, &new).await {
                Err(SplitError::Store(error)) => Err(error),
                _ => Ok(()),
            }
        }
        "conversations" => store.conversations(access, query).await.map(drop),
        "conversations_by_id" => store.conversations_by_id(access, &[case]).await.map(drop),
        "create_channel_account" => {
            let new = mailbox("info@bakker.example");
            store.create_channel_account(access, None, new).await.map(drop).map_err(account)
        }
        "dead_letters" => store.dead_letters(access).await.map(drop),
        "default_queue" => store.default_queue(access).await.map(drop),
        "end_session" => store.end_session(access, SessionId(id)).await,
        "events" => store.events(access, 0, 1).await.map(drop),
        "export_ledger" => match store.export_ledger(access).await {
            Err(LedgerExportError::Store(error)) => Err(error),
            _ => Ok(()),
        },
        "index" => store.index(access).await.map(drop),
        "intake_source" => store.intake_source(access, IntakeId(id)).await.map(drop),
        "invitations" => store.invitations(access).await.map(drop),
        "ledger_page" => store.ledger_page(access, None, 1).await.map(drop),
        "may_upload" => store.may_upload(access, 1, UploadQuota { files: 1, bytes: 1 }).await.map(drop),
        "merge_index" => store.merge_index(access).await.map(drop),
        "message" => store.message(access, message).await.map(drop),
        "message_source" => store.message_source(access, message).await.map(drop),
        "choose_images" => store.choose_images(access, ContactId(id), ImagesFor::Me, true).await,
        "image_choices" => store.image_choices(access).await.map(drop),
        "keep_remote_images" => store.keep_remote_images(access, message, &[]).await,
        "try_waiting_mail" => store.try_waiting_mail(access, mailbox_id).await,
        "waiting_mail" => store.waiting_mail(access).await.map(drop),
        "remote_images" => store.remote_images(access, message).await.map(drop),
        "message_to_answer" => store.message_to_answer(access, message).await.map(drop),
        "messages" => store.messages(access, case, None, 1).await.map(drop),
        "open_conversation" => {
            let new = NewConversation {
                id: case,
                message,
                account: mailbox_id,
                content: MessageContent {
                    message_id: Some("1@bakker.example".to_owned()),
                    ..Default::default()
                },
                recipients: Vec::new(),
                contact: crate::Correspondent::default(),
                contact_address: String::new(),
                attachments: Vec::new(),
                wait: Default::default(),
                draft: None,
            };
            store.open_conversation(access, &new).await
        }
        "own_password" => store.own_password(access).await.map(drop),
        "participants" => store.participants(access, case).await.map(drop),
        "prepare_api_key" => {
            let ends = Timestamp::from_secs(1_900_000_000);
            store.prepare_api_key(access, "Kassa", Scope::Read, ends).await.map(drop)
        }
        "prepare_invitation" => store.prepare_invitation(access, Role::Agent, false).await.map(drop),
        "prepare_password" => {
            let checked = super::second_factor::no_password();
            store.prepare_password(access, &checked, Pii::new(String::new()), None).await.map(drop)
        }
        "quarantine" => store.quarantine(access, None, None, 1).await.map(drop),
        "queues" => store.queues(access).await.map(drop),
        "remove_channel_account" => store.remove_channel_account(access, mailbox_id).await.map_err(account),
        "reply_thread" => store.reply_thread(access, case).await.map(drop),
        "revoke_api_key" => store.revoke_api_key(access, ApiKeyId(id)).await,
        "revoke_invitation" => store.revoke_invitation(access, InvitationId(id)).await,
        "search" => store.search(access, "woord", None, 1).await.map(drop),
        "sessions" => store.sessions(access).await.map(drop),
        "set_preferences" => store.set_preferences(access, Preferences::default()).await.map(drop),
        "suggest_contacts" => store.suggest_contacts(access, "jan", 1).await.map(drop),
        "suggest_words" => store.suggest_words(access, "woo", 1).await.map(drop),
        "tenant" => store.tenant(access).await.map(drop),
        "is_own_reply" => store.is_own_reply(access, MessageId(Uuid::nil())).await.map(drop),
        "thread_of_number" => store.thread_of_number(access, 1).await.map(drop),
        "threads" => store.threads(access, case).await.map(drop),
        "upload" => {
            let file = NewFile {
                name: String::new(),
                media_type: String::new(),
                content_id: None,
                inline: false,
                bytes: Vec::new(),
            };
            super::house::upload(store, access, file).await.map(drop)
        }
        "drafts" => store.drafts(access).await.map(drop),
        "drafts_in" => store.drafts_in(access, Some(case)).await.map(drop),
        "keep_presence" => store.keep_presence(access, NodeId(id), Vec::new()).await,
        "place_of_case" => store.place_of_case(access, case).await.map(drop),
        "presence_elsewhere" => store.presence_elsewhere(access, NodeId(id)).await.map(drop),
        "save_draft" => store.save_draft(access, DraftPlace::MAIL, 0, None).await.map(drop),
        "choose_notification_ways" => store.choose_notification_ways(access, Vec::new()).await,
        "mark_notifications" => {
            let which = crate::NotificationLines::Of(case);
            store.mark_notifications(access, which, true).await.map(drop)
        }
        "mentionable" => store.mentionable(access, case).await.map(drop),
        "notification_ways" => store.notification_ways(access).await.map(drop),
        "notifications" => store.notifications(access).await.map(drop),
        "tags" => store.tags(access).await.map(drop),
        "create_tag" => {
            store.create_tag(access, None, "Spoed", TagColour::Red).await.map(drop).or_else(of_tag)
        }
        "change_tag" => {
            store.change_tag(access, TagId(id), TagChange::default()).await.map(drop).or_else(of_tag)
        }
        "merge_tag" => store.merge_tag(access, TagId(id), TagId(id)).await.or_else(of_tag),
        "saved_views" => store.saved_views(access).await.map(drop),
        "create_saved_view" => {
            store.create_saved_view(access, None, ViewContent::default(), false).await.map(drop)
        }
        "change_saved_view" => {
            let content = ViewContent::default();
            store.change_saved_view(access, SavedViewId(id), content, false).await.map(drop)
        }
        "remove_saved_view" => store.remove_saved_view(access, SavedViewId(id)).await,
        "macros" => store.macros(access).await.map(drop),
        "macro_with_texts" => store.macro_with_texts(access, MacroId(id)).await.map(drop),
        "create_macro" => {
            let made = store.create_macro(access, None, MacroContent::default(), false).await;
            made.map(drop).or_else(of_macro)
        }
        "change_macro" => {
            let content = MacroContent::default();
            let changed = store.change_macro(access, MacroId(id), None, content, false).await;
            changed.map(drop).or_else(of_macro)
        }
        "remove_macro" => store.remove_macro(access, MacroId(id)).await,
        "add_push_device" => {
            match store.add_push_device(access, None, super::push::browser(SessionId(id), "a")).await {
                Err(PushDeviceError::Store(error)) => Err(error),
                _ => Ok(()),
            }
        }
        "allow_push" => store.allow_push(access, true, &[]).await,
        "note_push" => store.note_push(access, PushDeviceId(id), PushOutcome::Told, None).await,
        "push_devices" => store.push_devices(access).await.map(drop),
        "push_setting" => store.push_setting(access).await.map(drop),
        "push_target" => store.push_target(access, PushDeviceId(id), None).await.map(drop),
        "remove_push_device" => store.remove_push_device(access, PushDeviceId(id)).await,
        "begin_second_factor" => store.begin_second_factor(access, SessionId(id)).await.map(drop),
        "confirm_second_factor" => {
            let (password, code) = (super::second_factor::no_password(), GivenCode::Code(1));
            let confirmed = store.confirm_second_factor(access, SessionId(id), &password, &code).await;
            confirmed.map(drop).or_else(of_factor)
        }
        "remove_second_factor" => {
            let (password, code) = (super::second_factor::no_password(), GivenCode::Code(1));
            store.remove_second_factor(access, SessionId(id), &password, &code).await.or_else(of_factor)
        }
        "renew_recovery_codes" => {
            let (password, code) = (super::second_factor::no_password(), GivenCode::Code(1));
            store.renew_recovery_codes(access, &password, &code).await.map(drop).or_else(of_factor)
        }
        "reset_second_factor" => store.reset_second_factor(access, UserId(id)).await.or_else(of_factor),
        "second_factor" => store.second_factor(access).await.map(drop),
        "second_factor_reset_seen" => store.second_factor_reset_seen(access).await,
        "second_factor_rule" => store.second_factor_rule(access).await.map(drop),
        "set_second_factor_rule" => {
            let change = SecondFactorRuleChange::default();
            store.set_second_factor_rule(access, change).await.map(drop).or_else(of_factor)
        }
        "archive_queue" => of_queue(store.archive_queue(access, QueueId(id), None).await.map(drop)),
        "change_queue" => {
            of_queue(store.change_queue(access, QueueId(id), QueueChange::default()).await.map(drop))
        }
        "create_queue" => of_queue(store.create_queue(access, None, "Winkel", "").await.map(drop)),
        "order_queues" => of_queue(store.order_queues(access, Vec::new()).await),
        "queue_openings" => store.queue_openings(access).await.map(drop),
        "queue_set_up" => store.queue_set_up(access, QueueId(id)).await.map(drop),
        "restore_queue" => of_queue(store.restore_queue(access, QueueId(id)).await.map(drop)),
        "set_business_hours" => {
            of_queue(store.set_business_hours(access, QueueId(id), None, None).await.map(drop))
        }
        "change_field" => {
            of_field(store.change_field(access, FieldId(id), FieldChange::default()).await.map(drop))
        }
        "change_fields_of" => {
            match store.change_fields_of(access, RecordId::Contact(ContactId(id)), Vec::new()).await {
                Err(ValueError::Store(error)) => Err(error),
                _ => Ok(()),
            }
        }
        "create_field" => {
            let settings = super::fields::settings("Nummer", FieldKind::Text);
            of_field(store.create_field(access, None, RecordKind::Contact, settings).await.map(drop))
        }
        "field_set_up" => store.field_set_up(access, FieldId(id)).await.map(drop),
        "field_set_ups" => store.field_set_ups(access).await.map(drop),
        "fields" => store.fields(access).await.map(drop),
        "fields_of" => store.fields_of(access, RecordId::Contact(ContactId(id))).await.map(drop),
        "order_fields" => of_field(store.order_fields(access, RecordKind::Contact, Vec::new()).await),
        "preview_kind" => of_field(
            store.preview_kind(access, FieldId(id), (FieldKind::Text, &[]), Language::Nl).await.map(drop),
        ),
        "remove_field" => of_field(store.remove_field(access, FieldId(id)).await),
        "change_team" => {
            of_team(store.change_team(access, TeamId(id), TeamChange::default()).await.map(drop))
        }
        "create_team" => of_team(store.create_team(access, None, "Balie").await.map(drop)),
        "team_set_up" => store.team_set_up(access, TeamId(id)).await.map(drop),
        "teams" => store.teams(access).await.map(drop),
        "user" => store.user(access, UserId(id)).await.map(drop),
        "users" => store.users(access).await.map(drop),
        "write_out" => {
            let outgoing = Outgoing {
                conversation: case,
                kind: MessageKind::Note,
                id: message,
                thread: None,
                account: None,
                content: MessageContent::default(),
                recipients: Vec::new(),
                attachments: Vec::new(),
                how: crate::Handling::default(),
            };
            store.write_out(access, &outgoing).await.map(drop)
        }
        other => panic!("nothing says how to call {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_is_refused_what_its_purpose_does_not_serve_for() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let mut wrong = Vec::new();
        for purpose in Purpose::ALL {
            let access = Access::for_test(
                admin.tenant,
                admin.access.actor(),
                purpose,
                RequestId(Uuid::nil()),
                admin.access.visible().clone(),
                house.clock.clone(),
            );
            for (function, what) in USES {
                let Some(what) = what.filter(|_| !NEED_MORE.contains(function)) else { continue };
                let refused = match call(&house, &access, function).await {
                    Err(StoreError::Purpose { purpose: told, what: used }) => {
                        assert_eq!((told, used), (purpose, what), "{function}");
                        true
                    }
                    _ => false,
                };
                if refused == purpose.may(what) {
                    wrong.push(format!("{function} for {}: refused is {refused}", purpose.as_str()));
                }
            }
            let (store, now) = (&house.store, house.clock.now());
            let case = ConversationId(Uuid::from_u128(7));
            let seen = store.write(&access, MarkSeen { id: case, now }).await;
            let change = ChangeConversation::prepare(store, &access, case, ConversationChange::default());
            let changed = store.write(&access, change).await.map(drop);
            for answered in [seen, changed] {
                let refused = matches!(answered, Err(StoreError::Purpose { .. }));
                assert_eq!(refused, !purpose.may(Use::Answer), "{}", purpose.as_str());
            }
            let revived = store.write(&access, ReviveJob { id: JobId(Uuid::from_u128(7)), now }).await;
            let refused = matches!(revived, Err(StoreError::Purpose { .. }));
            assert_eq!(refused, !purpose.may(Use::Account), "{}", purpose.as_str());
        }
        assert!(wrong.is_empty(), "{}: {}", house.name(), wrong.join("\n"));
        house.close().await;
    }
}

#[test]
fn a_refusal_names_purpose_and_use_and_nothing_else() {
    let refused = StoreError::Purpose { purpose: Purpose::Delivery, what: Use::Look };
    assert_eq!(refused.to_string(), "an access for delivery was used to look");
}
