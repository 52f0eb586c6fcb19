//! Command lines that make no sense: what is said of them, and what of a command line may be written down.

use clap::error::ErrorKind;
use fairzarr_task::shown;
use std::ffi::{OsStr, OsString};

/// What is wrong with a command line, in one sentence, without the usage lines that follow.
pub(crate) fn message(error: &clap::Error, words: &[OsString]) -> String {
    if error.kind() == ErrorKind::InvalidUtf8
        && let Some(word) = words.iter().find(|word| word.to_str().is_none())
    {
        let word = escaped(word);
        return format!(
            "'{word}' is not Unicode; `fairzarr migrate` takes folders and files with such names"
        );
    }
    let text = error.render().to_string();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "a command is missing; `fairzarr --help` lists them".into();
    }
    let sentence = text.split("\n\n").next().unwrap_or(&text);
    let sentence: Vec<&str> = sentence.trim_start_matches("error: ").split_whitespace().collect();
    let sentence = sentence.join(" ");
    if error.kind() == ErrorKind::UnknownArgument && takes_one_source(words) {
        return format!(
            "{sentence}: one source is converted to one target; `fairzarr migrate SOURCE... TARGET` takes many"
        );
    }
    sentence
}

/// Shows it to people: as clap does, unless there is more to say.
pub(crate) fn show(error: &clap::Error, message: &str, words: &[OsString]) {
    let known = error.render().to_string();
    // The parser repeats words as they are, and a pattern of the shell makes words of names.
    let harmless = words.iter().all(|word| shown(&word.to_string_lossy()) == word.to_string_lossy());
    let same = harmless && known.split_whitespace().collect::<Vec<_>>().join(" ").contains(message);
    if same || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // Nobody is left to tell if this fails.
        let _ = error.print();
    } else {
        crate::print::note(format_args!("error: {message}"));
    }
}

/// Whether several places were given to a command that takes two: a glob, mostly.
fn takes_one_source(words: &[OsString]) -> bool {
    let command = words.iter().skip(1).find(|word| !starts_with_hyphen(word));
    let places = words.iter().skip(1).filter(|word| !starts_with_hyphen(word)).count();
    command.is_some_and(|command| command == "convert") && places > 3
}

fn starts_with_hyphen(word: &OsStr) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// A name that is no Unicode, with `\xNN` for each byte that is none.
fn escaped(word: &OsStr) -> String {
    let chunk = |chunk: std::str::Utf8Chunk<'_>| {
        let bytes = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        format!("{}{}", chunk.valid(), bytes.collect::<String>())
    };
    word.as_encoded_bytes().utf8_chunks().map(chunk).collect()
}

/// A command line for people to read. Values of settings that may be secrets are left out.
pub(crate) fn without_secrets(words: &[OsString]) -> String {
    let shown = words.iter().map(|word| {
        let word = escaped(word);
        // A secret may have further equals signs in it.
        let mut names = word.match_indices('=').map(|(place, _)| &word[..place]);
        match names.find(|name| is_secret(name)) {
            Some(name) => format!("{name}=..."),
            None => word,
        }
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Whether a setting may be one that nobody else is to know.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["secret", "token", "key", "sas", "password"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_written_down() {
        let words = ["fairzarr", "copy", "--store-option", "aws_secret_access_key=abc=", "a=b"];
        let words: Vec<OsString> = words.map(Into::into).into();
        assert_eq!(without_secrets(&words), "fairzarr copy --store-option aws_secret_access_key=... a=b");
        let words: Vec<OsString> = vec!["--store-option=azure_storage_sas_key=x".into()];
        assert_eq!(without_secrets(&words), "--store-option=azure_storage_sas_key=...");
    }
}
