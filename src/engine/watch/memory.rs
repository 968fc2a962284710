//! What the operator typed while hosts were reached, remembered for as long as the program runs: a connection that is made anew asks nothing twice.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;

use crate::engine::session::Connector;
use crate::model::operator::{Operator, SecretRequest, UnknownHostKey};
use crate::transport::{ConnectSpec, Host, TransportError};

/// A connector that remembers answers; clones share the memory.
#[derive(Clone)]
pub struct Remembering {
    inner: Arc<dyn Connector>,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    secrets: Vec<(SecretRequest, SecretString)>,
    keys: Vec<UnknownHostKey>,
}

impl Remembering {
    /// Returns a connector that remembers nothing yet.
    #[must_use]
    pub fn new(inner: Arc<dyn Connector>) -> Self {
        Self {
            inner,
            memory: Arc::default(),
        }
    }
}

impl Connector for Remembering {
    fn connect(
        &self,
        spec: &ConnectSpec,
        operator: &dyn Operator,
    ) -> Result<Arc<dyn Host>, TransportError> {
        let attempt = Attempt {
            operator,
            memory: &self.memory,
            given: Mutex::default(),
        };
        let reached = self.inner.connect(spec, &attempt);
        attempt.learn(&reached);
        reached
    }
}

/// One try to reach a host.
struct Attempt<'a> {
    operator: &'a dyn Operator,
    memory: &'a Mutex<Memory>,
    /// What was answered in this try.
    given: Mutex<Vec<(SecretRequest, SecretString)>>,
}

impl Attempt<'_> {
    /// Remembers what let us in, and forgets what did not.
    fn learn(self, reached: &Result<Arc<dyn Host>, TransportError>) {
        let given = self
            .given
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = match reached {
            Ok(_) => false,
            Err(error) if error.is_link_fault() => return,
            Err(_) => true,
        };
        for (request, secret) in given {
            memory.secrets.retain(|(known, _)| *known != request);
            if !refused {
                memory.secrets.push((request, secret));
            }
        }
    }
}

impl Operator for Attempt<'_> {
    fn accept_host_key(&self, key: &UnknownHostKey) -> bool {
        let known = |memory: &Memory| memory.keys.contains(key);
        if known(&self.memory.lock().unwrap_or_else(PoisonError::into_inner)) {
            return true;
        }
        let accepted = self.operator.accept_host_key(key);
        if accepted {
            let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
            memory.keys.push(key.clone());
        }
        accepted
    }

    fn secret(&self, request: &SecretRequest) -> Option<SecretString> {
        // A code that is valid once must not be given twice; a question asked twice in one try says that the answer was wrong.
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let once = matches!(request, SecretRequest::Interactive { .. });
        let again = given.iter().any(|(known, _)| known == request);
        let remembered = (!once && !again)
            .then(|| self.remembered(request))
            .flatten();
        let secret = match remembered {
            Some(secret) => secret,
            None => self.operator.secret(request)?,
        };
        if !once {
            given.retain(|(known, _)| known != request);
            given.push((request.clone(), secret.clone()));
        }
        Some(secret)
    }
}

impl Attempt<'_> {
    fn remembered(&self, request: &SecretRequest) -> Option<SecretString> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = memory.secrets.iter();
        known.find(|(of, _)| of == request).map(|(_, s)| s.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::session::connections::spec;
    use crate::model::answers::SshSection;
    use crate::model::deployment::HostSettings;
    use crate::model::secret::Secrets;
    use crate::transport::fake::FakeHost;
    use secrecy::ExposeSecret;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A host whose password is `right`.
    struct Gate;

    impl Connector for Gate {
        fn connect(
            &self,
            spec: &ConnectSpec,
            operator: &dyn Operator,
        ) -> Result<Arc<dyn Host>, TransportError> {
            let request = SecretRequest::SshPassword {
                host: spec.host.clone(),
                user: "deploy".to_owned(),
            };
            match operator.secret(&request) {
                Some(secret) if secret.expose_secret() == "right" => {
                    Ok(Arc::new(FakeHost::new(spec.host.clone())))
                }
                _ => Err(TransportError::Login {
                    address: "a".to_owned(),
                    user: "deploy".to_owned(),
                    tried: Vec::new(),
                }),
            }
        }
    }

    /// Answers these, one after the other.
    struct Typing(&'static [&'static str], AtomicUsize);

    impl Operator for Typing {
        fn accept_host_key(&self, _: &UnknownHostKey) -> bool {
            false
        }

        fn secret(&self, _: &SecretRequest) -> Option<SecretString> {
            let at = self.1.fetch_add(1, Ordering::SeqCst);
            self.0.get(at).map(|text| SecretString::from(*text))
        }
    }

    #[test]
    fn what_let_us_in_is_not_asked_for_again_and_what_did_not_is() {
        let host = HostSettings {
            name: "ui".parse().unwrap(),
            address: "a".to_owned(),
            private_address: None,
            roles: Vec::new(),
            host_key: None,
            login: SshSection::default(),
        };
        let spec = spec(&host, &Secrets::default(), None);
        let connector = Remembering::new(Arc::new(Gate));
        let typing = Typing(&["wrong", "right"], AtomicUsize::new(0));
        assert!(connector.connect(&spec, &typing).is_err());
        assert!(connector.connect(&spec, &typing).is_ok());
        assert!(connector.clone().connect(&spec, &typing).is_ok());
        assert_eq!(typing.1.load(Ordering::SeqCst), 2);
    }
}
