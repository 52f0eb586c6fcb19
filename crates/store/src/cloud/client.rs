//! From a location and options to a client.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::ClientConfigKey;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, Certificate, ClientOptions, ObjectStore, RetryConfig, TagSet};

use super::connector::Connector;
use super::pace::Pace;
use super::{address, profile};
use crate::location::{Location, Scheme};
use crate::requests::Counters;
use crate::{Error, StoreOptions};

/// A client for the bucket, container or host of `location`. Settings come, later ones first, from `options`, the
/// environment, and for S3 the files that the vendor's tools share.
pub(crate) fn build(
    location: &Location,
    options: &StoreOptions,
    counters: &Arc<Counters>,
    pace: &Arc<Pace>,
) -> Result<Arc<dyn ObjectStore>, Error> {
    let connector = Connector {
        counters: Arc::clone(counters),
        query: location.query().map(str::to_owned),
        pace: Arc::clone(pace),
        web: location.scheme() == Scheme::Http,
        follow_redirects: options.follow_redirects,
    };
    let root = location.root().unwrap_or_default();
    let failed = |error: object_store::Error| Error::Settings {
        location: location.to_string(),
        source: Box::new(error),
    };
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        // Requests are repeated by the connector.
        max_retries: 0,
        retry_timeout: Duration::ZERO,
    };
    let settings = settings(location.scheme(), options);
    match location.scheme() {
        Scheme::S3 => {
            let mut builder =
                AmazonS3Builder::from_env().with_url(root).with_retry(retry).with_http_connector(connector);
            builder = builder.with_client_options(trusting(location)?);
            builder = apply(builder, defaults(), AmazonS3ConfigKey::Client, AmazonS3Builder::with_config);
            for (key, value) in settings {
                let parsed = key.parse::<AmazonS3ConfigKey>().map_err(|_| unknown(&key))?;
                builder = builder.with_config(parsed, value);
            }
            builder = profile::complete(builder)?;
            let endpoint = builder
                .get_config_value(&AmazonS3ConfigKey::S3Endpoint)
                .or_else(|| builder.get_config_value(&AmazonS3ConfigKey::Endpoint));
            for key in [AmazonS3ConfigKey::Region, AmazonS3ConfigKey::DefaultRegion] {
                // One that is empty is none.
                if let Some(region) = builder.get_config_value(&key).filter(|region| !region.is_empty()) {
                    address::part_of_host("aws_region", &region)?;
                }
            }
            if let Some(endpoint) = endpoint {
                address::endpoint("aws_endpoint", &endpoint)?;
                builder =
                    allow_plain(builder, &endpoint, AmazonS3ConfigKey::Client, AmazonS3Builder::with_config);
            } else if builder.get_config_value(&AmazonS3ConfigKey::Checksum).is_none() {
                // Signed requests carry the hash of their payload anyway; stored, it also guards the object at rest.
                // Other servers than Amazon's do not all know the header.
                builder = builder.with_config(AmazonS3ConfigKey::Checksum, "sha256");
            }
            Ok(Arc::new(builder.build().map_err(failed)?))
        }
        Scheme::Gcs => {
            let mut builder = GoogleCloudStorageBuilder::from_env()
                .with_url(root)
                .with_retry(retry)
                .with_http_connector(connector);
            builder =
                apply(builder, defaults(), GoogleConfigKey::Client, GoogleCloudStorageBuilder::with_config);
            for (key, value) in settings {
                let parsed = key.parse::<GoogleConfigKey>().map_err(|_| unknown(&key))?;
                builder = builder.with_config(parsed, value);
            }
            if let Some(endpoint) = builder.get_config_value(&GoogleConfigKey::BaseUrl) {
                address::endpoint("google_base_url", &endpoint)?;
                builder = allow_plain(
                    builder,
                    &endpoint,
                    GoogleConfigKey::Client,
                    GoogleCloudStorageBuilder::with_config,
                );
            }
            Ok(Arc::new(builder.build().map_err(failed)?))
        }
        Scheme::Azure => {
            let mut builder = MicrosoftAzureBuilder::from_env()
                .with_url(root)
                .with_retry(retry)
                .with_http_connector(connector);
            builder = apply(builder, defaults(), AzureConfigKey::Client, MicrosoftAzureBuilder::with_config);
            for (key, value) in settings {
                let parsed = key.parse::<AzureConfigKey>().map_err(|_| unknown(&key))?;
                builder = builder.with_config(parsed, value);
            }
            if let Some(account) = builder.get_config_value(&AzureConfigKey::AccountName) {
                address::part_of_host("azure_storage_account_name", &account)?;
            }
            if let Some(endpoint) = builder.get_config_value(&AzureConfigKey::Endpoint) {
                address::endpoint("azure_storage_endpoint", &endpoint)?;
                builder = allow_plain(
                    builder,
                    &endpoint,
                    AzureConfigKey::Client,
                    MicrosoftAzureBuilder::with_config,
                );
            }
            Ok(Arc::new(builder.build().map_err(failed)?))
        }
        Scheme::Http => {
            let mut client = ClientOptions::new().with_allow_http(true);
            client = apply(client, defaults(), |key| key, ClientOptions::with_config);
            for (key, value) in settings {
                let parsed = key.parse::<ClientConfigKey>().map_err(|_| unknown(&key))?;
                client = client.with_config(parsed, value);
            }
            let builder = HttpBuilder::new()
                .with_url(root)
                .with_client_options(client)
                .with_retry(retry)
                .with_http_connector(connector);
            Ok(Arc::new(builder.build().map_err(failed)?))
        }
        Scheme::Local | Scheme::Memory | Scheme::Other => Err(Error::Unsupported {
            location: location.to_string(),
            reason: "this is not an object store".to_owned(),
        }),
    }
}

/// Whether an option is sent with each object rather than one of the client.
fn is_of_objects(key: &str, scheme: Scheme) -> bool {
    scheme != Scheme::Http
        && [STORAGE_CLASS, OBJECT_TAGS].iter().any(|of_objects| key.eq_ignore_ascii_case(of_objects))
}

/// The tags of objects, of an option's `name=value,name=value`. Only S3 and Azure have tags.
pub(crate) fn tags(location: &Location, options: &StoreOptions) -> Result<TagSet, Error> {
    let mut tags = TagSet::default();
    let Some((key, given)) = options.options.iter().rfind(|(key, _)| key.eq_ignore_ascii_case(OBJECT_TAGS))
    else {
        return Ok(tags);
    };
    let refuse = |reason: String| Error::Option { key: key.clone(), reason };
    if matches!(location.scheme(), Scheme::Gcs) {
        return Err(refuse("objects of this kind of store have no tags".to_owned()));
    }
    for tag in given.split(',') {
        match tag.split_once('=').filter(|(name, _)| !name.trim().is_empty()) {
            Some((name, value)) => tags.push(name.trim(), value.trim()),
            None => return Err(refuse(format!("found {tag:?}, expected name=value"))),
        }
    }
    Ok(tags)
}

/// The option that names what objects are stored as: `STANDARD_IA`, `NEARLINE`, `Cool`, ...
pub(crate) const STORAGE_CLASS: &str = "storage_class";
/// The option that names the tags of objects: `project=p53,grant=12`.
const OBJECT_TAGS: &str = "object_tags";

/// The user's options in the client's names.
fn settings(scheme: Scheme, options: &StoreOptions) -> Vec<(String, String)> {
    options
        .options
        .iter()
        .filter(|(key, _)| !is_of_objects(key, scheme))
        .map(|(key, value)| {
            let key = key.to_ascii_lowercase();
            let key = match (key.as_str(), scheme) {
                ("anonymous", Scheme::S3) => "aws_skip_signature".to_owned(),
                ("anonymous", Scheme::Gcs) => "google_skip_signature".to_owned(),
                ("anonymous", Scheme::Azure) => "azure_skip_signature".to_owned(),
                _ => key,
            };
            (key, value.clone())
        })
        .collect()
}

/// Client options that trust the certificates of the file that `AWS_CA_BUNDLE` names, as the vendor's tools do, beside those
/// that the machine trusts.
fn trusting(location: &Location) -> Result<ClientOptions, Error> {
    let options = ClientOptions::new();
    let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) else {
        return Ok(options);
    };
    let unusable = |reason: String| Error::Option {
        key: "AWS_CA_BUNDLE".to_owned(),
        reason: format!("{} cannot be used for {location}: {reason}", path.display()),
    };
    let bundle = std::fs::read(&path).map_err(|error| unusable(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&bundle).map_err(|error| unusable(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    Ok(certificates.into_iter().fold(options, ClientOptions::with_root_certificate))
}

/// The connector limits how long nothing may come; how long a large object takes on a slow line is no fault.
fn defaults() -> [(ClientConfigKey, &'static str); 2] {
    [
        (ClientConfigKey::Timeout, "1 day"),
        (ClientConfigKey::UserAgent, concat!("fairzarr/", env!("CARGO_PKG_VERSION"))),
    ]
}

/// The four builders have the same methods, but no trait in common.
fn apply<B, K>(
    builder: B,
    settings: impl IntoIterator<Item = (ClientConfigKey, &'static str)>,
    key: impl Fn(ClientConfigKey) -> K,
    with_config: impl Fn(B, K, String) -> B,
) -> B {
    settings
        .into_iter()
        .fold(builder, |builder, (name, value)| with_config(builder, key(name), value.to_owned()))
}

/// Who types an endpoint without TLS means it.
fn allow_plain<B, K>(
    builder: B,
    endpoint: &str,
    key: impl Fn(ClientConfigKey) -> K,
    with_config: impl Fn(B, K, String) -> B,
) -> B {
    let plain = endpoint.starts_with("http://");
    apply(builder, plain.then_some((ClientConfigKey::AllowHttp, "true")), key, with_config)
}

fn unknown(key: &str) -> Error {
    Error::Option { key: key.to_owned(), reason: "this kind of store has no such option".to_owned() }
}
