//! What lies below a prefix: listed, and deleted.

use std::sync::mpsc::Sender;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{Error as ClientError, ObjectStoreExt as _};

use super::Operations;
use crate::Error;
use crate::backend::Children;
use crate::cloud::connector::traced;

impl Operations {
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        self.listable()?;
        let path = self.prefix(prefix)?;
        let (listed, trace) = traced(self.client.list(path.as_ref()).try_collect::<Vec<_>>()).await;
        let listed = listed.map_err(|error| self.client_failed("list", prefix, error, trace))?;
        let mut objects: Vec<_> = listed
            .iter()
            .filter_map(|meta| Some((self.key(&meta.location)?.to_owned(), meta.size)))
            .collect();
        objects.sort_unstable();
        Ok(objects)
    }

    /// Sends what lies below a prefix as it comes, until nobody takes it any more.
    pub(crate) async fn list_into(&self, prefix: &str, into: Sender<(String, u64)>) -> Result<(), Error> {
        self.listable()?;
        let path = self.prefix(prefix)?;
        let mut stream = self.client.list(path.as_ref());
        let sending = async {
            while let Some(meta) = stream.try_next().await? {
                if let Some(key) = self.key(&meta.location)
                    && into.send((key.to_owned(), meta.size)).is_err()
                {
                    break;
                }
            }
            Ok(())
        };
        let (listed, trace) = traced(sending).await;
        listed.map_err(|error| self.client_failed("list", prefix, error, trace))
    }

    pub(crate) async fn children(&self, prefix: &str) -> Result<Children, Error> {
        self.listable()?;
        let path = self.prefix(prefix)?;
        let (listed, trace) = traced(self.client.list_with_delimiter(path.as_ref())).await;
        let listed = listed.map_err(|error| self.client_failed("list", prefix, error, trace))?;
        let name = |path: &Path| path.filename().map(str::to_owned);
        let mut children = Children {
            directories: listed.common_prefixes.iter().filter_map(name).collect(),
            objects: listed
                .objects
                .iter()
                .filter_map(|meta| Some((name(&meta.location)?, meta.size)))
                .collect(),
        };
        children.directories.sort_unstable();
        children.objects.sort_unstable();
        Ok(children)
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), Error> {
        self.writable()?;
        let path = self.path(key)?;
        match traced(self.client.delete(&path)).await {
            (Ok(()) | Err(ClientError::NotFound { .. }), _) => Ok(()),
            (Err(error), trace) => Err(self.client_failed("delete", key, error, trace)),
        }
    }

    pub(crate) async fn delete_prefix(&self, prefix: &str) -> Result<(), Error> {
        self.writable()?;
        let path = self.prefix(prefix)?;
        let found = self.client.list(path.as_ref()).map_ok(|meta| meta.location).boxed();
        let (deleted, trace) =
            traced(self.client.delete_stream(found).map_ok(drop).try_collect::<()>()).await;
        deleted.map_err(|error| self.client_failed("delete", prefix, error, trace))
    }
}
