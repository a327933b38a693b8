//! Input from clients: checked before the first lock is asked for, and refused with the field and the reason.

use std::fmt::Display;

use axum::body::Bytes;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::refusal::Refusal;

/// Why input was not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadInput {
    /// The field that is wrong, if it is one field.
    pub field: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

impl BadInput {
    /// The field is wrong for this reason.
    pub fn at(field: impl Into<String>, reason: impl Display) -> Self {
        Self { field: Some(field.into()), reason: reason.to_string() }
    }

    /// The field is not there.
    pub fn missing(field: &str) -> Self {
        Self::at(field, "is missing")
    }

    /// The input as a whole is wrong for this reason.
    pub fn whole(reason: impl Display) -> Self {
        Self { field: None, reason: reason.to_string() }
    }
}

/// A body that serde reads as `Raw`, and that is then checked as a whole.
pub trait Checked: Sized {
    /// The body as it comes.
    type Raw: DeserializeOwned;

    /// Checks what serde cannot: fields that are missing, and fields that do not go together.
    ///
    /// # Errors
    ///
    /// The first field that is wrong.
    fn check(raw: Self::Raw) -> Result<Self, BadInput>;
}

/// The extractor of a JSON body.
#[derive(Debug, Clone, Copy)]
pub struct Body<T>(pub T);

impl<T: Checked, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if !is_json(request.headers()) {
            return Err(Refusal::NotJson);
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|error| unread(&error))?;
        Ok(Self(T::check(parse(&bytes)?)?))
    }
}

/// The extractor of the variables of a path, each a field of `T`.
#[derive(Debug, Clone, Copy)]
pub struct Variables<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Variables<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(variables)) => Ok(Self(variables)),
            Err(PathRejection::FailedToDeserializePathParams(error)) => Err(unfit(error.into_kind()).into()),
            // The route has no variables: the service is wrong.
            Err(error) => Err(Refusal::failed(&error)),
        }
    }
}

fn unfit(error: ErrorKind) -> BadInput {
    match error {
        ErrorKind::DeserializeError { key, message, .. } => BadInput::at(key, message),
        ErrorKind::ParseErrorAtKey { key, expected_type, .. } => {
            BadInput::at(key, format_args!("expected a value of type {expected_type}"))
        }
        ErrorKind::InvalidUtf8InPathParam { key } => BadInput::at(key, "expected UTF-8"),
        other => BadInput::whole(other),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // Parameters such as `; charset=utf-8` may follow.
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn unread(error: &BytesRejection) -> Refusal {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Refusal::TooLarge
    } else {
        Refusal::BadInput(BadInput::whole("the body could not be read to its end"))
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, BadInput> {
    // serde would read an array as the fields of a struct, in their order.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(BadInput::whole("expected a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        match inner.classify() {
            Category::Data if path != "." => BadInput::at(path, without_position(inner)),
            _ => BadInput::whole(inner),
        }
    })?;
    json.end().map_err(BadInput::whole)?;
    Ok(read)
}

/// What is wrong with a field. The field says where.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).map(str::to_owned).unwrap_or(text)
}
