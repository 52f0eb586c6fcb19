//! `~/.aws/credentials` and `~/.aws/config`, which `aws configure` writes and the client does not read.

use std::collections::HashMap;
use std::path::PathBuf;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use crate::Error;

/// Fills what neither options nor environment have set from the profile `AWS_PROFILE`, or `default`.
pub(crate) fn complete(builder: AmazonS3Builder) -> Result<AmazonS3Builder, Error> {
    let asked_for = std::env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
    let name = asked_for.as_deref().unwrap_or("default");
    let mut settings = read("AWS_CONFIG_FILE", "config")
        .map(|text| {
            section(&text, &if name == "default" { name.to_owned() } else { format!("profile {name}") })
        })
        .unwrap_or_default();
    settings.extend(
        read("AWS_SHARED_CREDENTIALS_FILE", "credentials")
            .map(|text| section(&text, name))
            .unwrap_or_default(),
    );
    if settings.is_empty() && asked_for.is_some() {
        return Err(Error::Option {
            key: "AWS_PROFILE".to_owned(),
            reason: format!("no profile {name:?} in the shared AWS configuration files"),
        });
    }
    Ok(fill(builder, &settings))
}

fn fill(mut builder: AmazonS3Builder, settings: &HashMap<String, String>) -> AmazonS3Builder {
    use AmazonS3ConfigKey as Key;
    let is_set = |builder: &AmazonS3Builder, keys: &[Key]| {
        keys.iter().any(|key| builder.get_config_value(key).is_some())
    };
    // A key belongs to its secret and token: they come from one place or not at all.
    let has_credentials = is_set(
        &builder,
        &[
            Key::AccessKeyId,
            Key::SecretAccessKey,
            Key::WebIdentityTokenFile,
            Key::ContainerCredentialsRelativeUri,
            Key::ContainerCredentialsFullUri,
        ],
    );
    let mut names = vec![];
    if !has_credentials {
        names.extend([
            ("aws_access_key_id", Key::AccessKeyId),
            ("aws_secret_access_key", Key::SecretAccessKey),
            ("aws_session_token", Key::Token),
        ]);
    }
    if !is_set(&builder, &[Key::Region, Key::DefaultRegion]) {
        names.push(("region", Key::Region));
    }
    if !is_set(&builder, &[Key::Endpoint, Key::S3Endpoint]) {
        names.push(("endpoint_url", Key::Endpoint));
    }
    for (name, key) in names {
        if let Some(value) = settings.get(name) {
            builder = builder.with_config(key, value);
        }
    }
    builder
}

/// The text of the file that the variable names, or of `~/.aws/NAME`; none if it cannot be read.
fn read(variable: &str, name: &str) -> Option<String> {
    let path = match std::env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => std::env::home_dir()?.join(".aws").join(name),
    };
    std::fs::read_to_string(path).ok()
}

/// The `name = value` lines below `[title]`; indented lines belong to nested settings and are left out.
fn section(text: &str, title: &str) -> HashMap<String, String> {
    text.lines()
        .skip_while(|line| header(line) != Some(title))
        .skip(1)
        .take_while(|line| header(line).is_none())
        .filter(|line| !line.starts_with([' ', '\t', '#', ';']))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect()
}

fn header(line: &str) -> Option<&str> {
    Some(line.strip_prefix('[')?.split_once(']')?.0.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# made by hand
[default]
aws_access_key_id = AKIAdefault
aws_secret_access_key=se=cret

[profile lab]
region = eu-central-1
s3 =
  endpoint_url = http://nested
endpoint_url = http://lab:9000
";

    #[test]
    fn sections() {
        let default = section(FILE, "default");
        assert_eq!(default["aws_access_key_id"], "AKIAdefault");
        assert_eq!(default["aws_secret_access_key"], "se=cret");
        assert_eq!(default.len(), 2);
        let lab = section(FILE, "profile lab");
        assert_eq!(lab["region"], "eu-central-1");
        assert_eq!(lab["endpoint_url"], "http://lab:9000");
        assert!(section(FILE, "lab").is_empty());
    }

    #[test]
    fn what_is_set_stays() {
        let mut settings = section(FILE, "default");
        settings.extend(section(FILE, "profile lab"));
        let value = |builder: &AmazonS3Builder, key| builder.get_config_value(&key);

        let builder = fill(AmazonS3Builder::new(), &settings);
        assert_eq!(value(&builder, AmazonS3ConfigKey::AccessKeyId).as_deref(), Some("AKIAdefault"));
        assert_eq!(value(&builder, AmazonS3ConfigKey::Region).as_deref(), Some("eu-central-1"));

        let builder = AmazonS3Builder::new().with_access_key_id("mine").with_region("us-west-2");
        let builder = fill(builder, &settings);
        assert_eq!(value(&builder, AmazonS3ConfigKey::AccessKeyId).as_deref(), Some("mine"));
        assert_eq!(value(&builder, AmazonS3ConfigKey::SecretAccessKey), None);
        assert_eq!(value(&builder, AmazonS3ConfigKey::Region).as_deref(), Some("us-west-2"));
        assert_eq!(value(&builder, AmazonS3ConfigKey::Endpoint).as_deref(), Some("http://lab:9000"));
    }
}
