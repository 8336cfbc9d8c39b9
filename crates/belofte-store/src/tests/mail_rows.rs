// SPDX-License-Identifier: EUPL-1.2
//! Rows of the table in `visible.rs`: how mail comes in, goes out, and is shown.

pub(super) const OTHERS: &[(&str, &str)] = &[
    ("begin_authorisation", "changes; of an account that is seen"),
    ("choose_images", "changes; of a contact that is seen, below"),
    ("claim_renewal", "changes; of an account that is seen"),
    ("create_signing_key", "changes; of a domain that is seen"),
    ("end_authorisation", "changes; of an account that is seen"),
    ("give_up_renewal", "changes; of an account that is seen"),
    ("image_choices", "what the one who asks chose, and the tenant; ids alone"),
    ("is_own_reply", "whether a mail that names an answer of the tenant's is that one; nothing of it"),
    ("keep_remote_images", "changes; of a message that is seen, below"),
    ("keep_renewed", "changes; of an account that is seen"),
    ("mail_signer", "signs, for a mail that is seen"),
    ("note_signing_record", "changes; of a domain that is seen"),
    ("settle_authorisation", "changes; of an account that is seen"),
    ("take_authorisation_request", "changes; of an account that is seen"),
    ("try_waiting_mail", "changes; of an account that is seen"),
    ("waiting_mail", "of accounts that are seen: reasons and counts, as with what reading them says"),
    ("withdraw_signing_key", "changes; of a domain that is seen"),
];
