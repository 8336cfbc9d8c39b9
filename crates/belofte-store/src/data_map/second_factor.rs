// SPDX-License-Identifier: EUPL-1.2
//! Tables of the second factor of signing in.

use belofte_model::KeyClass;

use super::{Category, Holds, Retention, Subject, Table, column};

const SECRET: Holds =
    Holds::Sealed { category: Category::Technical, subject: Subject::User, key: KeyClass::Settings };

/// What a user's app and the house share.
pub(super) const FACTOR: Table = Table {
    name: "second_factor",
    retention: Retention::Tenant,
    columns: &[
        column(5011, "tenant_id", Holds::Plain),
        column(5012, "id", Holds::Plain),
        column(5013, "user_id", Holds::Plain),
        column(5014, "secret", SECRET),
        column(5015, "key_id", Holds::Plain),
        column(5016, "last_period", Holds::Plain),
        column(5017, "created_at", Holds::Plain),
    ],
};

/// The recovery codes that were not used.
pub(super) const RECOVERY_CODE: Table = Table {
    name: "recovery_code",
    retention: Retention::Tenant,
    columns: &[
        column(5021, "tenant_id", Holds::Plain),
        column(5022, "factor_id", Holds::Plain),
        column(5023, "code_hash", Holds::Secret),
    ],
};

/// How often a second factor was wrong.
pub(super) const TRY: Table = Table {
    name: "second_factor_try",
    // Until a sign-in succeeds: who guesses is to find nothing forgotten.
    retention: Retention::UntilDone,
    columns: &[
        column(5031, "tenant_id", Holds::Plain),
        column(5032, "user_id", Holds::Plain),
        column(5033, "method", Holds::Plain),
        column(5034, "failures", Holds::Plain),
        column(5035, "last_at", Holds::Plain),
        column(5036, "locked_until", Holds::Plain),
    ],
};

/// Second factors that are being set up.
pub(super) const ENROLMENT: Table = Table {
    name: "second_factor_enrolment",
    retention: Retention::Days(1),
    columns: &[
        column(5041, "tenant_id", Holds::Plain),
        column(5042, "user_id", Holds::Plain),
        column(5043, "holder_id", Holds::Plain),
        column(5044, "secret", SECRET),
        column(5045, "key_id", Holds::Plain),
        column(5046, "expires_at", Holds::Plain),
    ],
};

/// Sign-ins that wait for their second step.
pub(super) const STEP: Table = Table {
    name: "sign_in_step",
    retention: Retention::Days(1),
    columns: &[
        column(5051, "tenant_id", Holds::Plain),
        column(5052, "token_hash", Holds::Secret),
        column(5053, "id", Holds::Plain),
        column(5054, "user_id", Holds::Plain),
        column(5055, "kind", Holds::Plain),
        column(5056, "standing", Holds::Secret),
        column(5057, "origin", Holds::BlindIndex),
        column(5058, "known", Holds::Plain),
        column(5059, "created_at", Holds::Plain),
        column(5060, "expires_at", Holds::Plain),
        column(5061, "proof", Holds::Secret),
    ],
};

/// Of whom a tenant asks one.
pub(super) const RULE: Table = Table {
    name: "second_factor_rule",
    retention: Retention::Tenant,
    columns: &[
        column(5071, "tenant_id", Holds::Plain),
        column(5072, "admin", Holds::Plain),
        column(5073, "supervisor", Holds::Plain),
        column(5074, "agent", Holds::Plain),
    ],
};
