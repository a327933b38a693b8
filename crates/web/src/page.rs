//! The page, and the policy that lets nothing run in it but its own script.

use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

const PAGE: &str = include_str!("page.html");

pub(crate) struct Page {
    policy: Option<HeaderValue>,
}

impl Page {
    pub(crate) fn new() -> Self {
        let policy = format!(
            "default-src 'none'; script-src '{}'; style-src '{}'; img-src data:; connect-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
            hash(inside("script")),
            hash(inside("style")),
        );
        Self { policy: HeaderValue::try_from(policy).ok() }
    }

    pub(crate) fn response(&self) -> Response {
        let mut response = Html(PAGE).into_response();
        if let Some(policy) = &self.policy {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        }
        response
    }
}

/// What stands between the tags of this name, of which the page has one pair.
fn inside(tag: &str) -> &'static str {
    let after = PAGE.split_once(&format!("<{tag}>")).map_or("", |(_, after)| after);
    after.split_once(&format!("</{tag}>")).map_or("", |(inside, _)| inside)
}

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}
