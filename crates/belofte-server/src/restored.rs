// SPDX-License-Identifier: EUPL-1.2
//! What the operator is told when content and keys do not belong together: in the log of the server,
//! by `belofte doctor`, `belofte restore` and `/readyz`. In both languages, since who reads it at
//! that moment should not have to translate.

use belofte_store::{Doubt, TenantDoubt};

use crate::api::time::Time;

/// What was found for one tenant and what to do, in English and Dutch.
#[must_use]
pub fn told(doubt: &TenantDoubt) -> [String; 2] {
    let (tenant, onderdeel) = match &doubt.slug {
        Some(slug) => (format!("tenant `{slug}`"), format!("tenant `{slug}`")),
        None => (
            format!("tenant {}, which the content does not know", doubt.tenant),
            format!("tenant {}, die de inhoud niet kent", doubt.tenant),
        ),
    };
    let number = doubt.number;
    let when = doubt.agreed_at.map(|at| Time(at).to_rfc3339()).unwrap_or_default();
    match doubt.doubt {
        Doubt::ContentOlder => [
            format!(
                "{tenant}: the content is older than its keys, or another ({number} entries of the ledger are \
                 missing; it was as it should be at {when}). What came later is not lost yet: no key is \
                 destroyed. Put the newer content back, or run `belofte restore accept` when this is the \
                 newest there is"
            ),
            format!(
                "{onderdeel}: de inhoud is ouder dan de sleutels, of een andere ({number} regels van het logboek \
                 ontbreken; om {when} klopte het nog). Wat later kwam is nog niet verloren: er wordt geen sleutel \
                 vernietigd. Zet de nieuwere inhoud terug, of geef `belofte restore accept` als dit de nieuwste is"
            ),
        ],
        Doubt::KeysOlder => [
            format!(
                "{tenant}: the keys are older than the content: at least {number} conversations or contacts cannot \
                 be opened. Put the newest back-up of the keys back (`belofte keys restore`); run `belofte restore \
                 accept` only when there is none"
            ),
            format!(
                "{onderdeel}: de sleutels zijn ouder dan de inhoud: ten minste {number} gesprekken of klanten zijn \
                 niet te openen. Zet de nieuwste reservekopie van de sleutels terug (`belofte keys restore`); geef \
                 `belofte restore accept` alleen als die er niet is"
            ),
        ],
        Doubt::ManyOrphans => [
            format!(
                "{tenant}: {number} keys or files have no content, which is too many for a crash, so none was \
                 destroyed. Is the content complete? Run `belofte restore accept` when it is"
            ),
            format!(
                "{onderdeel}: {number} sleutels of bestanden hebben geen inhoud. Dat is te veel voor een storing, \
                 dus er is niets vernietigd. Is de inhoud compleet? Geef dan `belofte restore accept`"
            ),
        ],
    }
}
