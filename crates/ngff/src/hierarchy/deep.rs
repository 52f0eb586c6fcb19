//! The stored objects of arrays: whether their names are keys of chunks, and whether shards can be read.

use fairzarr_zarr::{ArrayDocument, ShardIndex};

use super::walk::Walk;
use super::{Depth, Documents, Stop};
use crate::Finding;

impl<D: Documents> Walk<'_, D> {
    pub(super) fn array_objects(&mut self, path: &str, array: &ArrayDocument) -> Result<(), Stop<D::Error>> {
        if self.depth != Depth::Objects {
            return Ok(());
        }
        let Some(objects) = self.documents.objects(path)? else { return Ok(()) };
        let Some(keys) = array.chunk_keys() else { return Ok(()) };
        let index = array.shard_index();
        for (key, size) in objects {
            let Some(name) = key.strip_prefix(path).map(|name| name.trim_start_matches('/')) else {
                continue;
            };
            if ["zarr.json", ".zarray", ".zattrs"].contains(&name) {
                continue;
            }
            self.objects += 1;
            if !keys.is_chunk(name) {
                let message = format!("{name} is no key of a chunk of this array");
                let finding = Finding::must(name, keys.clause(), message);
                self.add(
                    path,
                    finding.with_remedy(
                        "rename the object to the key that the array's encoding gives, or remove it",
                    ),
                );
                continue;
            }
            let problem = match &index {
                Some(index) => self.shard(&key, size, index)?,
                None => array.plain_chunk_bytes().filter(|expected| *expected != size).map(|expected| {
                    format!(
                        "{name} has {size} bytes, expected {expected}, as many as an uncompressed chunk has"
                    )
                }),
            };
            let problem = match problem {
                None if index.is_none() => {
                    let head = self.documents.part(&key, 0, 16)?.unwrap_or_default();
                    array.stored_bytes(&head).filter(|expected| *expected != size).map(|expected| {
                        format!("{name} has {size} bytes, expected {expected}, as many as its header says")
                    })
                }
                problem => problem,
            };
            let problem = match problem {
                None if index.is_none() && array.needs_whole_chunk() && size <= LARGEST_CHUNK => {
                    self.documents.document(&key)?.and_then(|chunk| array.broken_frames(&chunk))
                }
                problem => problem,
            };
            if let Some(problem) = problem {
                let finding = Finding::must(name, "zarr-v3/codecs", problem);
                self.add(path, finding.with_remedy("write the object again from its source"));
            }
        }
        Ok(())
    }

    /// What is wrong with a shard.
    fn shard(&mut self, key: &str, size: u64, index: &ShardIndex) -> Result<Option<String>, Stop<D::Error>> {
        if index.bytes() > size {
            return Ok(Some(format!(
                "the shard has {size} bytes, expected at least the {} of its index",
                index.bytes()
            )));
        }
        let start = if index.at_end() { size - index.bytes() } else { 0 };
        let Some(bytes) = self.documents.part(key, start, start + index.bytes())? else { return Ok(None) };
        Ok(index.problem(&bytes, size))
    }
}

/// Chunks beyond this are not read whole.
const LARGEST_CHUNK: u64 = 256 << 20;
