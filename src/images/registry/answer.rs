//! One request, one answer: the part of the distribution protocol that a pull needs.

use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, RANGE,
};
use hyper::http::response::Builder;
use hyper::{Method, Request, Response, StatusCode};

use super::Registry;
use super::body::Payload;
use crate::images::Digest;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const VERSION: (&str, &str) = ("Docker-Distribution-API-Version", "registry/2.0");
const DIGEST: &str = "Docker-Content-Digest";

impl Registry {
    /// Answers a request.
    pub(super) fn answer(&self, request: &Request<Incoming>) -> Response<Payload> {
        let head = match *request.method() {
            Method::GET => false,
            Method::HEAD => true,
            _ => return refusal(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED"),
        };
        let path = request.uri().path();
        tracing::debug!(method = %request.method(), path = path.len(), "the registry is asked");
        let Some(path) = path.strip_prefix("/v2/") else {
            return refusal(StatusCode::NOT_FOUND, "NAME_UNKNOWN");
        };
        if path.is_empty() {
            return finish(Response::builder(), whole(b"{}".to_vec(), head));
        }
        if let Some((repository, reference)) = path.rsplit_once("/manifests/") {
            self.manifest(repository, reference, head)
        } else if let Some((repository, digest)) = path.rsplit_once("/blobs/") {
            self.blob(repository, digest, request.headers(), head)
        } else {
            refusal(StatusCode::NOT_FOUND, "NAME_UNKNOWN")
        }
    }

    fn manifest(&self, repository: &str, reference: &str, head: bool) -> Response<Payload> {
        let goods = self.shelf(repository);
        let Some((bytes, digest)) = goods.as_ref().and_then(|goods| goods.manifest(reference))
        else {
            return refusal(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN");
        };
        let response = Response::builder()
            .header(CONTENT_TYPE, MANIFEST)
            .header(CONTENT_LENGTH, bytes.len())
            .header(DIGEST, digest.to_string());
        finish(response, whole(bytes.to_vec(), head))
    }

    fn blob(
        &self,
        repository: &str,
        digest: &str,
        headers: &HeaderMap,
        head: bool,
    ) -> Response<Payload> {
        let unknown = || refusal(StatusCode::NOT_FOUND, "BLOB_UNKNOWN");
        let Some(digest) = Digest::parse(digest) else {
            return unknown();
        };
        let Some(goods) = self.shelf(repository) else {
            return unknown();
        };
        if !goods.holds(&digest) {
            return unknown();
        }
        if goods.withholds(&digest) || goods.waits_in_vain(&digest) {
            // Docker gives up at this word, where it would try others again.
            return refusal(StatusCode::FORBIDDEN, "DENIED");
        }
        let Ok((file, size)) = self.store.blob(&digest) else {
            return unknown();
        };
        let Ok(from) = begin(headers, size) else {
            let response = Response::builder()
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(CONTENT_RANGE, format!("bytes */{size}"));
            return finish(response, whole(Vec::new(), false));
        };
        let mut response = Response::builder()
            .header(CONTENT_TYPE, "application/octet-stream")
            .header(CONTENT_LENGTH, size - from.unwrap_or(0))
            .header(ACCEPT_RANGES, "bytes")
            .header(ETAG, format!("\"{digest}\""))
            .header(DIGEST, digest.to_string());
        if let Some(from) = from {
            response = response
                .status(StatusCode::PARTIAL_CONTENT)
                .header(CONTENT_RANGE, format!("bytes {from}-{}/{size}", size - 1));
        }
        if head {
            return finish(response, whole(Vec::new(), true));
        }
        match Payload::file(
            file,
            from.unwrap_or(0),
            size,
            digest,
            Arc::clone(&self.sent),
        ) {
            Ok(payload) => finish(response, payload),
            Err(error) => {
                tracing::warn!(%error, "a blob cannot be read");
                refusal(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN")
            }
        }
    }
}

/// Returns where an asked-for range begins; one with an end, or several, is answered with the whole, which is allowed.
fn begin(headers: &HeaderMap, size: u64) -> Result<Option<u64>, ()> {
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    let from = range
        .and_then(|range| range.strip_prefix("bytes="))
        .and_then(|range| range.strip_suffix('-'))
        .and_then(|from| from.parse::<u64>().ok());
    match from {
        Some(from) if from >= size => Err(()),
        from => Ok(from),
    }
}

fn whole(bytes: Vec<u8>, head: bool) -> Payload {
    Payload::Whole((!head && !bytes.is_empty()).then(|| Bytes::from(bytes)))
}

fn refusal(status: StatusCode, code: &str) -> Response<Payload> {
    let text = serde_json::json!({"errors": [{"code": code, "message": "not here"}]}).to_string();
    let response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json");
    finish(response, whole(text.into_bytes(), false))
}

fn finish(response: Builder, payload: Payload) -> Response<Payload> {
    let (name, value) = VERSION;
    response
        .header(name, value)
        .body(payload)
        // Only a malformed header could be at fault, and none of ours is.
        .unwrap_or_else(|_| Response::new(Payload::Whole(None)))
}
