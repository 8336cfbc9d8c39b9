// SPDX-License-Identifier: EUPL-1.2
//! What was found out about who sent a mail: sealed with its words, and without domains for who sees no address.

use belofte_model::{
    DkimCheck, DkimResult, DmarcCheck, DmarcPolicy, DmarcResult, MailAuthentication, SenderVerdict, SpfCheck,
    SpfResult, Subset, Visible,
};

use super::desk::{Desk, says};
use super::house::houses;
use crate::{Access, MessageContent};

fn checked() -> MailAuthentication {
    let domain = "klant.example".to_owned();
    let signature = DkimCheck { result: DkimResult::Pass, domain: domain.clone(), selector: "s1".to_owned() };
    MailAuthentication::new(
        domain.clone(),
        SpfCheck { result: SpfResult::Pass, domain },
        vec![signature],
        DmarcCheck { result: DmarcResult::Pass, policy: Some(DmarcPolicy::Reject) },
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_stands_at_the_message_and_shows_no_domain_to_who_sees_no_address() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let content =
            MessageContent { authentication: Some(checked()), ..says("Jan", "Vraag", "Klopt dit?") };
        let stored = desk.file(&house, content, "een@klant.example", &[]).await;
        let access = &desk.admin.access;
        let message = house.store.message(access, stored.message).await.expect("there");
        assert_eq!(message.content.authentication, Some(checked()), "{}", house.name());

        let narrowed = Access::for_test(
            access.tenant(),
            access.actor(),
            access.purpose(),
            access.request(),
            Visible { fields: Subset::Only(Vec::new()), ..Visible::all() },
            house.clock.clone(),
        );
        let message = house.store.message(&narrowed, stored.message).await.expect("there");
        let found = message.content.authentication.expect("the word stays");
        assert_eq!((found.verdict, found.author.as_str()), (SenderVerdict::Verified, ""));
        assert_eq!((found.spf.domain.as_str(), found.dkim[0].domain.as_str()), ("", ""));
        house.close().await;
    }
}
