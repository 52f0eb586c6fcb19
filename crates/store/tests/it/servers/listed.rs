//! An S3 server that holds nothing but a list of names, in memory: page by page, in the time of a page.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Bound;

use s3s::auth::SimpleAuth;
use s3s::dto::{CommonPrefix, ListObjectsV2Input, ListObjectsV2Output, Object};
use s3s::service::S3ServiceBuilder;
use s3s::{S3, S3Request, S3Response, S3Result};
use tokio::runtime::Runtime;

use crate::servers::s3::{ACCESS_KEY, SECRET_KEY, serve};

pub(crate) struct Listed {
    pub(crate) address: SocketAddr,
    _runtime: Runtime,
}

impl Listed {
    /// Serves these names, with sizes in bytes, in whatever bucket is asked for.
    pub(crate) fn start(names: impl IntoIterator<Item = (String, i64)>) -> Self {
        let names = Names(names.into_iter().collect());
        let mut service = S3ServiceBuilder::new(names);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let (address, runtime) = serve(service.build());
        Self { address, _runtime: runtime }
    }
}

struct Names(BTreeMap<String, i64>);

#[async_trait::async_trait]
impl S3 for Names {
    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let prefix = input.prefix.unwrap_or_default();
        let after = input.continuation_token.unwrap_or_default();
        let start = if after.is_empty() { Bound::Included(prefix.clone()) } else { Bound::Excluded(after) };
        let most = input.max_keys.unwrap_or(1000) as usize;
        let (mut contents, mut common, mut last, mut more) = (Vec::new(), Vec::new(), None, false);
        let mut next = (start, Bound::Unbounded);
        while let Some((name, size)) = self.0.range::<String, _>(next.clone()).next() {
            if !name.starts_with(&prefix) {
                break;
            }
            if contents.len() + common.len() == most {
                more = true;
                break;
            }
            let below = input.delimiter.as_deref().and_then(|by| {
                let end = prefix.len() + name[prefix.len()..].find(by)? + by.len();
                Some(name[..end].to_owned())
            });
            let passed = if let Some(directory) = below {
                // After everything that the directory holds.
                let passed = format!("{directory}\u{10ffff}");
                common.push(CommonPrefix { prefix: Some(directory) });
                passed
            } else {
                contents.push(Object {
                    key: Some(name.clone()),
                    size: Some(*size),
                    last_modified: Some(std::time::SystemTime::UNIX_EPOCH.into()),
                    ..Object::default()
                });
                name.clone()
            };
            next.0 = Bound::Excluded(passed.clone());
            last = Some(passed);
        }
        Ok(S3Response::new(ListObjectsV2Output {
            is_truncated: Some(more),
            next_continuation_token: last.filter(|_| more),
            contents: Some(contents),
            common_prefixes: Some(common),
            ..ListObjectsV2Output::default()
        }))
    }
}
