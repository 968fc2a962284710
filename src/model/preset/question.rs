//! What a preset asks: questions with their kinds, rules and how secrets are made and kept.

use serde::{Deserialize, Serialize};

use crate::model::ids::{QuestionId, StackId};

/// The wizard's pages, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Page {
    /// Which preset.
    Option,
    /// Where images come from.
    Images,
    /// Which hosts.
    Hosts,
    /// How much of each host.
    Sizing,
    /// The application itself.
    Application,
    /// Who may log in.
    Auth,
    /// Certificates.
    Tls,
    /// The plan.
    Review,
}

/// One thing that is asked.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Question {
    /// Its id: the key in `[answers]` or `[secrets]`.
    pub id: QuestionId,
    /// The page it stands on.
    pub page: Page,
    /// What kind of value it takes.
    pub kind: QuestionKind,
    /// The field's label.
    pub prompt: String,
    /// What it is and what it is used for.
    pub help: String,
    /// A valid example.
    #[serde(default)]
    pub example: Option<String>,
    /// The value when nothing is said; a *template*.
    #[serde(default)]
    pub default: Option<String>,
    /// What is proposed once the hosts are known.
    #[serde(default)]
    pub propose: Option<Propose>,
    /// The values a `choice` may take.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Asked only when this *expression* is true.
    #[serde(default)]
    pub when: Option<String>,
    /// May be left empty.
    #[serde(default)]
    pub optional: bool,
    /// A regular expression that the whole value must match, with the rule in words.
    #[serde(default)]
    pub pattern: Option<Pattern>,
    /// Least length (text, secret) or value (integer, port).
    #[serde(default)]
    pub min: Option<u64>,
    /// Greatest length or value.
    #[serde(default)]
    pub max: Option<u64>,
    /// Values that are refused because everybody knows them; compared exactly.
    #[serde(default)]
    pub refuse: Vec<String>,
    /// For `secret`: cuts off surrounding blanks and line breaks, as pasted keys have them.
    #[serde(default)]
    pub trim: bool,
    /// For `certificate`: names it must cover; *templates*.
    #[serde(default)]
    pub names: Vec<String>,
    /// For `private-key`: the question that holds its certificate.
    #[serde(default)]
    pub matches: Option<QuestionId>,
    /// For `secret`: how to make one when none is given.
    #[serde(default)]
    pub generate: Option<Generator>,
    /// For `secret`: makes one only when this *expression* is true; otherwise it must be given.
    #[serde(default)]
    pub generate_when: Option<String>,
    /// For `secret`: where a host keeps it, so that it can be read back and never changes by itself; the first of these stacks that the preset has.
    #[serde(default)]
    pub kept: Vec<Kept>,
}

/// A value proposed from what the hosts are, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Propose {
    /// The value; a *template* that sees every host's `cpus` and `memory`.
    pub value: String,
    /// Why this much, in words; a *template*.
    pub because: String,
    /// What to beware of; a *template* that renders to nothing when all is well.
    #[serde(default)]
    pub warning: Option<String>,
}

/// Where a host keeps a secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Kept {
    /// The stack whose `.env` holds it.
    pub stack: StackId,
    /// The variable's name there.
    pub variable: String,
}

/// A regular expression with the rule in words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pattern {
    /// The expression; must match the whole value.
    pub regex: String,
    /// The rule, as the operator reads it.
    pub rule: String,
}

/// What kind of value a question takes; a kind brings its own checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum QuestionKind {
    /// One line of text.
    Text,
    /// One of `choices`.
    Choice,
    /// Yes or no.
    Boolean,
    /// A whole number.
    Integer,
    /// A TCP port, 1 to 65535.
    Port,
    /// A host name or address, without scheme and port.
    Host,
    /// An e-mail address.
    Email,
    /// An amount of bytes with a unit, such as `4gb`.
    Size,
    /// A number of CPUs, fractions allowed.
    Cpus,
    /// A list of texts.
    List,
    /// An `http` or `https` address.
    Url,
    /// A readable file on the operator's machine.
    File,
    /// A PEM certificate file, leaf first.
    Certificate,
    /// A PEM private key file.
    PrivateKey,
    /// A secret; its value never stands in the answers file.
    Secret,
}

/// How a secret is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Generator {
    /// 32 characters that are safe in a URL: `[A-Za-z0-9._~-]`, starting with a letter.
    UrlSafePassword,
    /// A Fernet key: 32 random bytes in URL-safe base64 with padding, 44 characters.
    FernetKey,
    /// 64 random letters and digits.
    Text64,
}
