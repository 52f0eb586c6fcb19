//! `~/.aws/credentials` and `~/.aws/config`, which `aws configure` writes and the client does not read.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use super::login::CredentialProcess;
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
    let config = read("AWS_CONFIG_FILE", "config").unwrap_or_default();
    if let Some(endpoint) = service_endpoint(&config, &settings)? {
        settings.insert("endpoint_url".to_owned(), endpoint);
    }
    let builder = fill(builder, &settings);
    if let Some(command) = settings.get("credential_process").filter(|_| needs_login(&builder)) {
        return Ok(builder.with_credentials(Arc::new(CredentialProcess::new(command.clone()))));
    }
    match unresolved(&builder, &settings) {
        Some(reason) => Err(Error::Option { key: format!("profile {name}"), reason }),
        None => Ok(builder),
    }
}

/// The endpoint for S3 of the section `[services NAME]` that a profile names. It goes before the profile's own
/// `endpoint_url`. A section that does not exist is refused: without it, requests would go to a public server.
fn service_endpoint(config: &str, settings: &HashMap<String, String>) -> Result<Option<String>, Error> {
    let Some(services) = settings.get("services") else {
        return Ok(None);
    };
    let title = format!("services {services}");
    if !config.lines().any(|line| header(line) == Some(title.as_str())) {
        return Err(Error::Option {
            key: "services".to_owned(),
            reason: format!("there is no section [{title}] in the shared AWS configuration file"),
        });
    }
    let mut lines = config.lines().skip_while(|line| header(line) != Some(title.as_str())).skip(1);
    let nested = lines
        .by_ref()
        .take_while(|line| header(line).is_none())
        .skip_while(|line| {
            line.split_once('=').is_none_or(|(name, _)| line.starts_with([' ', '\t']) || name.trim() != "s3")
        })
        .skip(1)
        .take_while(|line| line.starts_with([' ', '\t']) || line.trim().is_empty());
    let pairs = nested.filter_map(|line| line.split_once('='));
    Ok(pairs
        .filter(|(name, _)| name.trim() == "endpoint_url")
        .map(|(_, value)| value.trim().to_owned())
        .next())
}

/// Why the profile's way to credentials is not taken here, if there is one and nothing else gives credentials.
fn unresolved(builder: &AmazonS3Builder, settings: &HashMap<String, String>) -> Option<String> {
    if !needs_login(builder) {
        return None;
    }
    let ways = ["role_arn", "sso_session", "sso_start_url", "source_profile"];
    let way = ways.iter().find(|way| settings.contains_key(**way))?;
    Some(format!(
        "it gets its credentials by {way}, which is not done here; \
         `credential_process = aws configure export-credentials --profile NAME` in another profile brings them"
    ))
}

/// Whether nothing gives credentials so far, and some are wanted.
fn needs_login(builder: &AmazonS3Builder) -> bool {
    use AmazonS3ConfigKey as Key;
    let given = [
        Key::AccessKeyId,
        Key::WebIdentityTokenFile,
        Key::ContainerCredentialsRelativeUri,
        Key::ContainerCredentialsFullUri,
    ];
    let is_anonymous = builder.get_config_value(&Key::SkipSignature).as_deref() == Some("true");
    !is_anonymous && given.iter().all(|key| builder.get_config_value(key).is_none())
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
    fn the_endpoint_of_a_services_section_counts() {
        let config = "[profile lab]\nservices = here\nendpoint_url = http://other\n[services here]\ndynamodb =\n  endpoint_url = \
                      http://wrong\ns3 =\n  signature = v4\n  endpoint_url = http://lab:9000\nsts =\n  endpoint_url = http://x\n";
        let settings = section(config, "profile lab");
        assert_eq!(service_endpoint(config, &settings).unwrap().as_deref(), Some("http://lab:9000"));
        let missing = config.replace("[services here]", "[services there]");
        let error = service_endpoint(&missing, &settings).unwrap_err();
        assert!(error.to_string().contains("[services here]"), "{error}");
    }

    #[test]
    fn a_login_that_is_not_done_here_is_told() {
        let settings = section("[profile lab]\nsso_session = mine\n", "profile lab");
        let reason = unresolved(&AmazonS3Builder::new(), &settings).unwrap();
        assert!(reason.contains("sso_session"), "{reason}");
        assert_eq!(unresolved(&AmazonS3Builder::new().with_access_key_id("mine"), &settings), None);
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
