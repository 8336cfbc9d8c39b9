// SPDX-License-Identifier: EUPL-1.2
//! What an access sees of a tenant: which cases, which of their messages, and what of people.

use std::collections::HashMap;

use belofte_model::{BuiltInField, ChannelAccountId, ConversationId, MessageKind, QueueId, Subset, Visible};

use crate::conversations::Summary;
use crate::deliveries::Delivery;
use crate::engine::{params, sql};
use crate::messages::Correspondent;
use crate::{Access, Conversation, Message, Read, Store, StoreError, Tx};

/// Whether the tenant of `tx` has this case and `visible` sees it.
pub(crate) async fn sees_case(
    tx: &mut Tx<'_>,
    visible: &Visible,
    id: ConversationId,
) -> Result<bool, StoreError> {
    let tenant = tx.tenant();
    let found = tx
        .query_opt(
            sql!("SELECT queue_id, channel_account_id FROM conversation WHERE tenant_id = $1 AND id = $2"),
            params![tenant, id],
            |row| Ok((row.id::<QueueId>(0)?, row.id::<ChannelAccountId>(1)?)),
        )
        .await?;
    Ok(found.is_some_and(|(queue, account)| visible.sees_case(queue, account)))
}

/// What of people is taken out of rows when they are opened.
#[derive(Clone, Copy)]
pub(crate) struct Mask {
    name: bool,
    address: bool,
}

impl Mask {
    pub(crate) fn of(visible: &Visible) -> Self {
        Self { name: !visible.sees(BuiltInField::Name), address: !visible.sees(BuiltInField::Address) }
    }

    /// Whether the bytes of a mail can be shown: nobody can take an address out of them.
    pub(crate) const fn shows_sources(self) -> bool {
        self.shows_name() && self.shows_address()
    }

    pub(crate) const fn shows_name(self) -> bool {
        !self.name
    }

    pub(crate) const fn shows_address(self) -> bool {
        !self.address
    }

    fn person(self, person: &mut Correspondent) {
        if self.name {
            person.name.clear();
        }
        if self.address {
            person.address.clear();
        }
    }

    pub(crate) fn summary(self, summary: &mut Summary) {
        if self.name {
            summary.name.clear();
        }
        if self.address {
            summary.address.clear();
        }
    }

    fn delivery(self, delivery: &mut Delivery) {
        self.person(&mut delivery.recipient);
        // Servers repeat the address that they refuse.
        if self.address {
            delivery.reply = None;
        }
    }

    pub(crate) fn message(self, message: &mut Message) {
        let content = &mut message.content;
        self.person(&mut content.from);
        for person in content.to.iter_mut().chain(&mut content.cc).chain(&mut content.reply_to) {
            self.person(person);
        }
        if self.address
            && let Some(authentication) = &mut content.authentication
        {
            authentication.hide_domains();
        }
        if let Some(invitation) = &mut content.invitation {
            if self.name {
                invitation.organiser_name.clear();
            }
            if self.address {
                invitation.organiser_address.clear();
            }
        }
        for delivery in &mut message.deliveries {
            self.delivery(delivery);
        }
    }
}

/// What can be seen of the messages of a case of which some cannot.
#[derive(Default)]
struct Partly {
    hidden: bool,
    messages: i64,
    newest: Option<MessageKind>,
}

/// What is seen of the messages of some cases through `channels`.
struct PartsOf {
    cases: Vec<ConversationId>,
    visible: Visible,
}

impl Read for PartsOf {
    type Out = HashMap<ConversationId, Partly>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let sets = self.cases.iter().map(|id| [tenant.into(), (*id).into()]).collect();
        let rows = tx
            .query_each(
                sql!(
                    "SELECT conversation_id, channel_account_id, kind FROM message \
                     WHERE tenant_id = $1 AND conversation_id = $2 ORDER BY no"
                ),
                sets,
                |row| Ok((row.id(0)?, row.opt_id(1)?, row.name(2, MessageKind::parse)?)),
            )
            .await?;
        let mut parts: Self::Out = HashMap::new();
        for (case, account, kind) in rows {
            let part = parts.entry(case).or_default();
            if self.visible.sees_message(account) {
                part.messages += 1;
                part.newest = Some(kind);
            } else {
                part.hidden = true;
            }
        }
        Ok(parts)
    }
}

impl Store {
    /// Takes out of rows of cases what their messages through hidden accounts say: a case may go on
    /// through another account than it began with. When the last one came, and whether something
    /// waits, stays: that is the state of the case.
    pub(crate) async fn without_hidden_messages(
        &self,
        access: &Access,
        cases: &mut [Conversation],
    ) -> Result<(), StoreError> {
        if access.visible().channels == Subset::All || cases.is_empty() {
            return Ok(());
        }
        let ids = cases.iter().map(|case| case.id).collect();
        let parts = self.read(access, PartsOf { cases: ids, visible: access.visible().clone() }).await?;
        for case in cases {
            let Some(part) = parts.get(&case.id).filter(|part| part.hidden) else { continue };
            case.messages = part.messages;
            case.summary.preview.clear();
            if let Some(kind) = part.newest {
                case.last_message_kind = kind;
            }
        }
        Ok(())
    }
}
