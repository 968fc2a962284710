//! Secrets made here, from random bytes that the caller gives.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use secrecy::SecretString;

use super::preset::Generator;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LETTERS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// What stands in a URL without being encoded.
const UNRESERVED: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-";

/// Makes a secret; `random` fills a buffer with random bytes.
#[must_use]
pub fn generate(generator: Generator, random: &dyn Fn(&mut [u8])) -> SecretString {
    match generator {
        Generator::UrlSafePassword => {
            let mut text = characters(LETTERS, 1, random);
            text.push_str(&characters(UNRESERVED, 31, random));
            text.into()
        }
        Generator::FernetKey => {
            let mut key = [0; 32];
            random(&mut key);
            URL_SAFE.encode(key).into()
        }
        Generator::Text64 => characters(LETTERS_AND_DIGITS, 64, random).into(),
    }
}

/// Returns `count` characters of `alphabet`, each equally likely: bytes beyond the last full round are thrown away.
fn characters(alphabet: &[u8], count: usize, random: &dyn Fn(&mut [u8])) -> String {
    let limit = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(count);
    let mut buffer = [0; 64];
    while text.len() < count {
        random(&mut buffer);
        let fair = buffer
            .iter()
            .map(|byte| usize::from(*byte))
            .filter(|byte| *byte < limit);
        text.extend(
            fair.take(count - text.len())
                .map(|byte| char::from(alphabet[byte % alphabet.len()])),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn made(generator: Generator) -> String {
        generate(generator, &|buffer| rand::fill(buffer))
            .expose_secret()
            .to_owned()
    }

    #[test]
    fn a_database_password_is_safe_in_a_url() {
        for _ in 0..50 {
            let password = made(Generator::UrlSafePassword);
            assert_eq!(password.len(), 32);
            assert!(password.starts_with(|c: char| c.is_ascii_alphabetic()));
            assert!(
                password.bytes().all(|b| UNRESERVED.contains(&b)),
                "{password}"
            );
        }
    }

    #[test]
    fn a_fernet_key_is_32_bytes_in_44_characters() {
        let key = made(Generator::FernetKey);
        assert_eq!(key.len(), 44);
        assert_eq!(URL_SAFE.decode(&key).unwrap().len(), 32);
    }

    #[test]
    fn text_has_64_letters_and_digits_and_is_new_each_time() {
        let text = made(Generator::Text64);
        assert_eq!(text.len(), 64);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(text, made(Generator::Text64));
    }
}
