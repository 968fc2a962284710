//! Keyboard-interactive: the server asks, in its own words, and we or the operator answer.

use secrecy::{ExposeSecret, SecretString};
use ssh2::{KeyboardInteractivePrompt, Prompt};

use crate::model::ids::HostName;
use crate::model::operator::{Operator, SecretRequest};

/// Answers one login's questions.
pub(super) struct Answers<'a> {
    name: &'a HostName,
    operator: &'a dyn Operator,
    password: Option<&'a SecretString>,
    unanswered: bool,
}

impl<'a> Answers<'a> {
    /// Returns the answers for one login; `password` serves for the first question that hides what is typed.
    pub(super) fn new(
        name: &'a HostName,
        operator: &'a dyn Operator,
        password: Option<&'a SecretString>,
    ) -> Self {
        Self {
            name,
            operator,
            password,
            unanswered: false,
        }
    }

    /// Returns whether some question had no answer.
    pub(super) fn unanswered(&self) -> bool {
        self.unanswered
    }

    fn answer(&mut self, instructions: &str, prompt: &Prompt<'_>, alone: bool) -> String {
        if alone && !prompt.echo
            // Only once: a server that asks again did not like it, or asks for something else.
            && let Some(password) = self.password.take()
        {
            return password.expose_secret().to_owned();
        }
        let text = [instructions, &prompt.text].map(str::trim);
        let request = SecretRequest::Interactive {
            host: self.name.clone(),
            prompt: text.join("\n").trim().to_owned(),
        };
        let Some(answer) = self.operator.secret(&request) else {
            self.unanswered = true;
            return String::new();
        };
        answer.expose_secret().to_owned()
    }
}

impl KeyboardInteractivePrompt for Answers<'_> {
    fn prompt(
        &mut self,
        _username: &str,
        instructions: &str,
        prompts: &[Prompt<'_>],
    ) -> Vec<String> {
        let alone = prompts.len() == 1;
        prompts
            .iter()
            .map(|prompt| self.answer(instructions, prompt, alone))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::operator::UnknownHostKey;

    #[derive(Default)]
    struct Person {
        asked: Mutex<Vec<String>>,
    }

    impl Operator for Person {
        fn accept_host_key(&self, _key: &UnknownHostKey) -> bool {
            false
        }

        fn secret(&self, request: &SecretRequest) -> Option<SecretString> {
            let SecretRequest::Interactive { prompt, .. } = request else {
                return None;
            };
            self.asked.lock().unwrap().push(prompt.clone());
            Some("123456".to_owned().into())
        }
    }

    fn prompt(text: &str, echo: bool) -> Prompt<'_> {
        Prompt {
            text: text.into(),
            echo,
        }
    }

    #[test]
    fn the_password_answers_the_first_hidden_question_and_a_person_the_rest() {
        let (name, person) = ("ray-1".parse().unwrap(), Person::default());
        let password = SecretString::from("pw".to_owned());
        let mut answers = Answers::new(&name, &person, Some(&password));
        assert_eq!(
            answers.prompt("", "", &[prompt("Password: ", false)]),
            ["pw"]
        );
        assert_eq!(
            answers.prompt("", "Token", &[prompt("Code: ", true)]),
            ["123456"]
        );
        assert_eq!(answers.prompt("", "", &[]), [""; 0]);
        assert_eq!(*person.asked.lock().unwrap(), ["Token\nCode:"]);
        assert!(!answers.unanswered());
    }

    #[test]
    fn a_question_that_nobody_answers_is_noted() {
        let name = "ray-1".parse().unwrap();
        let mut answers = Answers::new(&name, &crate::model::operator::Nobody, None);
        answers.prompt("", "", &[prompt("Code: ", true)]);
        assert!(answers.unanswered());
    }
}
