// SPDX-License-Identifier: EUPL-1.2
//! `bench contacts`: a list of a million people, each under a key of their own, filtered and put in order by what is
//! sealed: how long it takes from a store that was just opened, which has no key at hand.
//!
//! People are added through the store, as an import adds them.

use anyhow::Context as _;
use belofte_model::{
    Audience, Condition, FieldId, FieldKind, FieldRules, FieldSettings, Filter, GivenValue, Order, OwnWords,
    RecordKind, Sensitivity, Subject, Test,
};
use belofte_store::{ContactQuestion, MOST_NEW_CONTACTS, NewPerson};

use crate::Options;
use crate::data::{Chance, Language};
use crate::machine::{self, Watch};
use crate::peers::Cluster;
use crate::place::{Engine, Place};
use crate::report::Report;

/// One in so many has the number that is looked for.
const ONE_IN: usize = 20_000;

/// Runs it.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let usual = if options.quick { 50_000 } else { 1_000_000 };
    let count = options.messages.unwrap_or(usual);
    let mut report = Report::new("contacts");
    let language = Language::new();
    let cluster = if options.postgres { Some(Cluster::start().await?) } else { None };
    for (wanted, engine) in [(options.sqlite, Engine::Sqlite), (options.postgres, Engine::Postgres)] {
        if wanted {
            engine_run(&mut report, &language, engine, cluster.as_ref(), count, options.runs).await?;
        }
    }
    report.print();
    Ok(())
}

fn field(label: &str, kind: FieldKind) -> FieldSettings {
    FieldSettings {
        kind,
        label: OwnWords { nl: label.to_owned(), en: String::new() },
        help: OwnWords::default(),
        purpose: "Terugvinden".to_owned(),
        sensitivity: Sensitivity::Ordinary,
        signed: None,
        options: Vec::new(),
        next_option: 1,
        rules: FieldRules::default(),
        required: false,
        default: None,
        queues: Vec::new(),
        readers: Audience::ALL.to_vec(),
        writers: Audience::ALL.to_vec(),
    }
}

/// Fills the house; gives how many have the number that is looked for.
async fn fill(
    place: &Place,
    language: &Language,
    (number, town): (FieldId, FieldId),
    count: usize,
) -> anyhow::Result<u64> {
    let house = place.open().await?;
    let (store, access) = (&house.core.store, place.service());
    let mut chance = Chance::new(11);
    let (mut sought, mut made) = (0, 0);
    while made < count {
        let size = MOST_NEW_CONTACTS.min(count - made);
        let mut people = Vec::with_capacity(size);
        for at in made..made + size {
            let mut word = || language.words[chance.below(language.words.len())].clone();
            let (first, last, place) = (word(), word(), word());
            let value = chance.below(ONE_IN);
            sought += u64::from(value == 0);
            let address = format!("{first}.{at}@klant.example");
            people.push(NewPerson {
                id: None,
                name: format!("{first} {last}"),
                addresses: vec![(address.clone(), address)],
                values: vec![
                    (number, GivenValue::Number(i64::try_from(value)?)),
                    (town, GivenValue::Text(place)),
                ],
            });
        }
        store.add_contacts(&access, &people).await?;
        made += size;
    }
    house.close().await;
    Ok(sought)
}

async fn engine_run(
    report: &mut Report,
    language: &Language,
    engine: Engine,
    cluster: Option<&Cluster>,
    count: usize,
    runs: usize,
) -> anyhow::Result<()> {
    let place = Place::found(engine, cluster).await?;
    let house = place.open().await?;
    let mut fields = Vec::new();
    for (label, kind) in [("Nummer", FieldKind::Integer), ("Plaats", FieldKind::Text)] {
        let settings = field(label, kind);
        let administration = place.administration();
        fields.push(
            house.core.store.create_field(&administration, None, RecordKind::Contact, settings).await?.id,
        );
    }
    house.close().await;
    let watch = Watch::start();
    let sought = fill(&place, language, (fields[0], fields[1]), count).await?;
    let filled = watch.seconds();
    if let Some((content, keys)) = &place.databases {
        // What upkeep of the cluster would do within minutes.
        for url in [content, keys] {
            crate::peers::execute(&Cluster::as_superuser(url), "VACUUM ANALYZE").await?;
        }
    }
    println!("{}: {count} people in {filled:.0} s; load {}", engine.name(), machine::load());

    let by = |subject, test, value| Condition { subject, test, value: Some(value) };
    let number = Subject::Field(fields[0]);
    let few = Filter { conditions: vec![by(number, Test::Is, GivenValue::Number(0))], ..Filter::default() };
    let town = Filter {
        conditions: vec![by(Subject::Field(fields[1]), Test::Contains, GivenValue::Text("zzzz".to_owned()))],
        ..Filter::default()
    };
    let name = Filter { words: "zzzz".to_owned(), ..Filter::default() };
    let by_name = Order { by: Subject::Name, descending: false };
    let by_number = Order { by: number, descending: true };
    let all = Filter::default();
    let (before, engine_name) = (engine.prefix(), engine.name());
    for (figure, what, filter, order) in [
        (
            Some("sealed_filter_1m_s"),
            "a whole number is looked for, cold; at most 2 for a million",
            &few,
            by_number,
        ),
        (None, "text that nobody has in a field, cold", &town, by_number),
        (None, "words that are in nobody's name or address, cold", &name, by_name),
        (None, "all of them by a number, cold", &all, by_number),
        (None, "all of them by name, cold", &all, by_name),
        (None, "the newest ones, cold", &all, Order::default()),
    ] {
        let mut times = Vec::new();
        for _ in 0..runs {
            // Opened anew: no key and no page is at hand.
            let house = place.open().await?;
            let access = place.service();
            let question =
                ContactQuestion { filter: filter.clone(), order, limit: 50, ..ContactQuestion::default() };
            let watch = Watch::start();
            let page = house.core.store.list_contacts(&access, question).await?;
            times.push(watch.seconds());
            if figure.is_some() {
                let total = page.total.context("all were looked at")?;
                anyhow::ensure!(total == sought, "{total} were found of {sought}");
            }
            house.close().await;
        }
        match figure {
            Some(figure) => {
                report.figure(format!("{before}{figure}"), format!("{engine_name}: {what}"), &times)
            }
            None => report.beside("(s)", format!("{engine_name}: {what}"), &times),
        }
    }
    report.beside(
        "(added per s)",
        format!("{engine_name}: people added, {MOST_NEW_CONTACTS} at a time"),
        &[count as f64 / filled],
    );
    place.close(cluster).await
}
