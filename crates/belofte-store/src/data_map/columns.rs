// SPDX-License-Identifier: EUPL-1.2
//! The numbers of the sealed columns.

use belofte_model::Column;

/// `user_account.profile`.
pub const USER_ACCOUNT_PROFILE: Column = Column(211);
/// `user_account.credential`.
pub const USER_ACCOUNT_CREDENTIAL: Column = Column(215);
/// `session.agent`.
pub const SESSION_AGENT: Column = Column(408);
/// `api_key.name`.
pub const API_KEY_NAME: Column = Column(505);
/// `operator_user.profile`.
pub const OPERATOR_USER_PROFILE: Column = Column(704);
/// `queue.name`.
pub const QUEUE_NAME: Column = Column(1003);
/// `queue.description`.
pub const QUEUE_DESCRIPTION: Column = Column(5101);
/// `team.name`.
pub const TEAM_NAME: Column = Column(5143);
/// `queue_hours.hours`.
pub const QUEUE_HOURS: Column = Column(5113);
/// `channel_account.settings`.
pub const CHANNEL_ACCOUNT_SETTINGS: Column = Column(1106);
/// `contact.profile`.
pub const CONTACT_PROFILE: Column = Column(1303);
/// `identity.value`.
pub const IDENTITY_VALUE: Column = Column(1406);
/// `conversation.summary`.
pub const CONVERSATION_SUMMARY: Column = Column(1509);
/// `message.content`.
pub const MESSAGE_CONTENT: Column = Column(1711);
/// `delivery.recipient`.
pub const DELIVERY_RECIPIENT: Column = Column(1905);
/// `delivery.reply`.
pub const DELIVERY_REPLY: Column = Column(1911);
/// `attachment.meta`.
pub const ATTACHMENT_META: Column = Column(2006);
/// `blob.data`.
pub const BLOB_DATA: Column = Column(2108);
/// `intake.envelope`.
pub const INTAKE_ENVELOPE: Column = Column(2207);
/// `ledger_leaf.entry`.
pub const LEDGER_LEAF_ENTRY: Column = Column(2605);
/// `tag.name`.
pub const TAG_NAME: Column = Column(3813);
/// `saved_view.content`.
pub const SAVED_VIEW_CONTENT: Column = Column(3905);
/// `macro.about`.
pub const MACRO_ABOUT: Column = Column(4705);
/// `macro.texts`.
pub const MACRO_TEXTS: Column = Column(4706);
/// `draft.content`.
pub const DRAFT_CONTENT: Column = Column(4406);
/// `recipient.host`.
pub const RECIPIENT_HOST: Column = Column(3404);
/// `retrieval.position`.
pub const RETRIEVAL_POSITION: Column = Column(3503);
/// `authorisation.request`.
pub const AUTHORISATION_REQUEST: Column = Column(4203);
/// `authorisation.tokens`.
pub const AUTHORISATION_TOKENS: Column = Column(4205);
/// `signing_key.details`.
pub const SIGNING_KEY_DETAILS: Column = Column(4305);
/// `signing_key.secret`.
pub const SIGNING_KEY_SECRET: Column = Column(4307);
/// `idempotency.answer`.
pub const IDEMPOTENCY_ANSWER: Column = Column(2806);
/// The lexicon in the index file of a tenant.
pub const LEXICON_CONTENT: Column = Column(3202);
/// `remote_image.picture`.
pub const REMOTE_IMAGE_PICTURE: Column = Column(4605);
/// `push_setting.secret`.
pub const PUSH_SETTING_SECRET: Column = Column(4903);
/// `push_device.details`.
pub const PUSH_DEVICE_DETAILS: Column = Column(4916);
/// `second_factor.secret`.
pub const SECOND_FACTOR_SECRET: Column = Column(5014);
/// `second_factor_enrolment.secret`.
pub const SECOND_FACTOR_ENROLMENT_SECRET: Column = Column(5044);
/// `field.about`.
pub const FIELD_ABOUT: Column = Column(5205);
/// `contact_field_value.value`.
pub const CONTACT_FIELD_VALUE: Column = Column(5224);
/// `conversation_field_value.value`.
pub const CONVERSATION_FIELD_VALUE: Column = Column(5244);
