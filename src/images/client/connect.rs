//! The way to one registry: its login, whom to believe, and whether it speaks TLS.

use std::net::IpAddr;

use oci_client::client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference, RegistryOperation};
use secrecy::ExposeSecret;
use x509_parser::pem::Pem;

use super::{Link, Remote, RemoteError, SILENCE};
use crate::images::ImagesError;

/// How registries see this program.
const AGENT: &str = concat!("syntho-installer/", env!("CARGO_PKG_VERSION"));

impl Remote {
    /// Makes the way to a registry and tries it. One on the loopback that speaks no TLS is spoken to without, as Docker does.
    pub(super) fn connect(&self, reference: &Reference) -> Result<Link, ImagesError> {
        let link = self.way(reference, ClientProtocol::Https)?;
        let tried = self
            .runtime
            .block_on(link.log_in(reference, RegistryOperation::Pull));
        match tried {
            Err(ImagesError::Remote(RemoteError::PlainHttp { .. }))
                if is_loopback(reference.registry()) =>
            {
                self.way(reference, ClientProtocol::Http)
            }
            // Whatever else is wrong comes again with the first question, where it is tried more than once.
            _ => Ok(link),
        }
    }

    fn way(&self, reference: &Reference, protocol: ClientProtocol) -> Result<Link, ImagesError> {
        // Somebody else may have chosen already, and chosen the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let registry = reference.registry().to_owned();
        let certificates = self.certificates()?;
        let trusts_more = !certificates.is_empty();
        let client = Client::try_from(ClientConfig {
            protocol,
            extra_root_certificates: certificates,
            use_monolithic_push: true,
            read_timeout: Some(SILENCE),
            connect_timeout: Some(SILENCE / 2),
            user_agent: AGENT,
            https_proxy: self
                .access
                .proxy
                .as_ref()
                .map(|proxy| proxy.expose_secret().to_owned()),
            ..ClientConfig::default()
        })
        .map_err(|error| RemoteError::Unusable {
            what: registry.clone(),
            detail: error.to_string(),
        })?;
        Ok(Link {
            client,
            auth: self.auth(&registry),
            registry,
            trusts_more,
        })
    }

    /// Returns the login for a registry; it goes to no other.
    fn auth(&self, registry: &str) -> RegistryAuth {
        match &self.access.login {
            Some((user, password)) if registry == self.access.registry => {
                RegistryAuth::Basic(user.clone(), password.expose_secret().to_owned())
            }
            _ => RegistryAuth::Anonymous,
        }
    }

    /// Returns the certificates of the authorities.
    pub(super) fn certificates(&self) -> Result<Vec<Certificate>, ImagesError> {
        let Some(text) = &self.access.authorities else {
            return Ok(Vec::new());
        };
        let unusable = |detail: String| RemoteError::BadAuthority { detail };
        let mut certificates = Vec::new();
        for block in Pem::iter_from_buffer(text) {
            let block = block.map_err(|error| unusable(error.to_string()))?;
            if block.label == "CERTIFICATE" {
                block
                    .parse_x509()
                    .map_err(|error| unusable(error.to_string()))?;
                certificates.push(Certificate {
                    encoding: CertificateEncoding::Der,
                    data: block.contents,
                });
            }
        }
        if certificates.is_empty() {
            return Err(unusable("no certificate in PEM form is in it".to_owned()).into());
        }
        Ok(certificates)
    }
}

/// Returns whether a registry is on this machine's own loopback.
fn is_loopback(registry: &str) -> bool {
    let host = match registry.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => host,
        _ => registry,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost"
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("localhost:5000", true)]
    #[case("127.0.0.2:5000", true)]
    #[case("[::1]:5000", true)]
    #[case("localhost.example", false)]
    #[case("10.0.0.1:5000", false)]
    #[case("registry.acme.example", false)]
    fn loopback(#[case] registry: &str, #[case] expected: bool) {
        assert_eq!(is_loopback(registry), expected);
    }
}
