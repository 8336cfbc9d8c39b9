// SPDX-License-Identifier: EUPL-1.2
//! openapi.json, printed from the [`Operation`]s that are served.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem,
    PathsBuilder, Ref, RefOr, Required, Response, ResponseBuilder, SecurityRequirement,
};

use super::live::{LiveFrame, WhisperFrame};
use super::operation::{BASE, Caller, Content, Operation, SchemaOf, Tag, Verb};
use super::schema::permission_name;
use crate::http::{Code, Problem};

/// The name of the security scheme of signed-in users.
const SESSION: &str = "session";
/// The name of the security scheme of programs.
const API_KEY: &str = "api_key";
/// The name of the security scheme of the operator.
const OPERATOR: &str = "operator_session";

/// The description of the whole API.
#[must_use]
pub fn document() -> OpenApi {
    let mut paths: BTreeMap<String, PathItem> = BTreeMap::new();
    let mut schemas = Vec::new();
    SchemaOf::of::<Problem>().collect(&mut schemas);
    SchemaOf::of::<LiveFrame>().collect(&mut schemas);
    SchemaOf::of::<WhisperFrame>().collect(&mut schemas);
    for operation in super::operations() {
        collect(operation, &mut schemas);
        let described = describe(operation);
        let method = match operation.verb {
            Verb::Get => HttpMethod::Get,
            Verb::Post => HttpMethod::Post,
            Verb::Patch => HttpMethod::Patch,
            Verb::Delete => HttpMethod::Delete,
        };
        let item = PathItem::new(method, described);
        paths
            .entry(format!("{BASE}{}", operation.path))
            .and_modify(|known| known.merge_operations(item.clone()))
            .or_insert(item);
    }
    schemas.sort_by(|(left, _), (right, _)| left.cmp(right));
    schemas.dedup_by(|(left, _), (right, _)| left == right);

    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(
            SESSION,
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                "__Host-belofte",
                "Set by signing in. Methods that change something also need the header `X-Belofte: 1`.",
            ))),
        )
        .security_scheme(
            OPERATOR,
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-belofte-operator"))),
        )
        .security_scheme(API_KEY, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .build();
    let paths = paths.into_iter().fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item));
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Belofte")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(
                    "Customer contact with a data-processing agreement that is a program. Times are RFC 3339 \
                     in UTC. Errors are problem details of RFC 9457 with a stable `code`. Another tenant's \
                     thing does not exist: 404.",
                ))
                .license(Some(LicenseBuilder::new().name("EUPL-1.2").identifier(Some("EUPL-1.2")).build()))
                .build(),
        )
        .paths(paths.build())
        .components(Some(components))
        .tags(Some(
            Tag::ALL
                .into_iter()
                .map(|(_, name, text)| TagBuilder::new().name(name).description(Some(text)).build())
                .collect::<Vec<_>>(),
        ))
        .build()
}

/// The description as it is committed and served: JSON with two spaces and a final newline.
///
/// # Errors
/// When a schema cannot be written as JSON, which the tests exclude.
pub fn text() -> Result<String, serde_json::Error> {
    // By way of a value, so that keys are sorted and the text does not depend on hash order.
    let value = serde_json::to_value(document())?;
    serde_json::to_string_pretty(&value).map(|text| text + "\n")
}

fn collect(operation: &Operation, schemas: &mut Vec<(String, RefOr<Schema>)>) {
    let answers = operation.answers.iter().map(|answer| answer.content);
    for content in answers.chain([operation.request]) {
        if let Content::Json(schema) = content {
            schema.collect(schemas);
        }
    }
}

fn describe(operation: &Operation) -> utoipa::openapi::path::Operation {
    let mut builder = OperationBuilder::new()
        .operation_id(Some(operation.id))
        .summary(Some(operation.summary))
        .tag(operation.tag.name());
    for parameter in operation.path_parameters() {
        builder = builder.parameter(path_parameter(parameter));
    }
    for parameter in (operation.query)() {
        builder = builder.parameter(parameter);
    }
    if operation.verb == Verb::Post {
        builder = builder.parameter(idempotency_key(operation.remembers));
    }
    if !operation.verb.is_safe() {
        builder = builder.parameter(browser_header());
    }
    builder = match operation.request {
        Content::Nothing => builder,
        Content::Json(_) | Content::Bytes(_) | Content::File => builder.request_body(Some(
            RequestBodyBuilder::new()
                .content(media_type(operation.request), content(operation.request))
                .required(Some(Required::True))
                .build(),
        )),
    };
    for answer in operation.answers {
        let mut response = ResponseBuilder::new().description(answer.meaning);
        if !matches!(answer.content, Content::Nothing) {
            response = response.content(media_type(answer.content), content(answer.content));
        }
        builder = builder.response(answer.status.to_string(), response.build());
    }
    for (status, codes) in by_status(&operation.problems_all()) {
        builder = builder.response(status.to_string(), problem(&codes));
    }
    for requirement in security(operation) {
        builder = builder.security(requirement);
    }
    builder.extensions(Some(Extensions::builder().add("x-caller", caller(operation.caller)).build())).build()
}

fn media_type(content: Content) -> &'static str {
    match content {
        Content::Nothing | Content::Json(_) => "application/json",
        Content::File => "multipart/form-data",
        Content::Bytes(media_type) => media_type,
    }
}

fn content(content: Content) -> utoipa::openapi::Content {
    let bytes = || {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)))
            .build()
    };
    let schema: RefOr<Schema> = match content {
        Content::Json(schema) => RefOr::Ref(Ref::from_schema_name(schema.name())),
        Content::File => {
            ObjectBuilder::new().schema_type(Type::Object).property("file", bytes()).required("file").into()
        }
        Content::Nothing | Content::Bytes(_) => bytes().into(),
    };
    ContentBuilder::new().schema(Some(schema)).build()
}

fn path_parameter(name: &str) -> Parameter {
    let uuid = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .build();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .schema(Some(uuid))
        .build()
}

fn idempotency_key(remembers: bool) -> Parameter {
    let meaning = if remembers {
        "The same key with the same body gives the first answer again."
    } else {
        "Taken, and does nothing: its answer is kept nowhere, and asked again it is done again."
    };
    let text = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(64))
        .pattern(Some("^[!-~]{1,64}$"))
        .build();
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(meaning))
        .schema(Some(text))
        .build()
}

fn browser_header() -> Parameter {
    let one = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["1"])).build();
    ParameterBuilder::new()
        .name("X-Belofte")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Needed unless the request carries an API key: it shows that no other site sent it.",
        ))
        .schema(Some(one))
        .build()
}

fn by_status(codes: &[Code]) -> BTreeMap<u16, Vec<Code>> {
    let mut statuses: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        statuses.entry(code.status().as_u16()).or_default().push(*code);
    }
    statuses
}

fn problem(codes: &[Code]) -> Response {
    let names: Vec<_> = codes.iter().map(|code| format!("`{}`", code.as_str())).collect();
    let schema: RefOr<Schema> = RefOr::Ref(Ref::from_schema_name(Problem::name()));
    ResponseBuilder::new()
        .description(names.join(", "))
        .content("application/problem+json", ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

fn security(operation: &Operation) -> Vec<SecurityRequirement> {
    let none = Vec::<String>::new;
    match operation.caller {
        Caller::Anyone => vec![SecurityRequirement::default()],
        Caller::SignedIn => vec![SecurityRequirement::new(SESSION, none())],
        Caller::Operator => vec![SecurityRequirement::new(OPERATOR, none())],
        Caller::May(_) if operation.for_programs() => {
            vec![SecurityRequirement::new(SESSION, none()), SecurityRequirement::new(API_KEY, none())]
        }
        Caller::May(_) => vec![SecurityRequirement::new(SESSION, none())],
    }
}

fn caller(caller: Caller) -> &'static str {
    match caller {
        Caller::Anyone => "anyone",
        Caller::SignedIn => "signed_in",
        Caller::Operator => "operator",
        Caller::May(permission) => permission_name(permission),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn operations_are_unique_and_complete() {
        let (mut ids, mut routes) = (BTreeSet::new(), BTreeSet::new());
        for operation in crate::api::operations() {
            assert!(ids.insert(operation.id), "{} is there twice", operation.id);
            assert!(routes.insert((operation.verb, operation.path)), "{} is there twice", operation.path);
            assert!(!operation.answers.is_empty(), "{} never succeeds", operation.id);
            assert!(operation.verb.is_safe() || operation.path != "/live");
            for answer in operation.answers {
                let empty = matches!(answer.content, Content::Nothing);
                assert_eq!(empty, matches!(answer.status, 204 | 101), "{}: {}", operation.id, answer.status);
            }
        }
    }

    /// Every POST gives its first answer again for the same key, or says in its description that it does not.
    #[test]
    fn a_post_remembers_its_answer_or_says_that_it_does_not() {
        fn look(folder: &std::path::Path, found: &mut usize) {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    look(&path, found);
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("a source");
                let own = path.ends_with("operation.rs") || path.ends_with("openapi.rs");
                if own || !text.contains("Operation::post(") {
                    continue;
                }
                *found += 1;
                let (keyed, again) = (text.contains("IdempotencyKey,"), text.contains(".done_again()"));
                assert!(keyed != again, "{}: keyed {keyed}, done again {again}", path.display());
            }
        }
        let mut found = 0;
        look(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/api")), &mut found);
        let posts = crate::api::operations().filter(|operation| operation.verb == Verb::Post).count();
        assert_eq!(found, posts, "each in a file of its own");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let text = text().expect("writes");
        let value: serde_json::Value = serde_json::from_str(&text).expect("reads");
        let schemas = value["components"]["schemas"].as_object().expect("schemas");
        let mut found = 0;
        for piece in text.split("\"#/components/schemas/").skip(1) {
            let name = piece.split('"').next().expect("a name");
            assert!(schemas.contains_key(name), "nothing is called {name}");
            found += 1;
        }
        assert!(found > 100, "only {found} references");
    }

    /// What is committed for the desk is what this build serves (invariant 12).
    #[test]
    fn the_committed_description_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/api-client/openapi.json");
        let committed = std::fs::read_to_string(path).expect("web/api-client/openapi.json is committed");
        assert!(
            committed == text().expect("writes"),
            "openapi.json is stale: belofte openapi > web/api-client/openapi.json"
        );
    }
}
