//! Finding and opening the files of a set.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    sync::Arc,
};

use fairzarr_ome_xml::alike;
use unicode_normalization::UnicodeNormalization;

use crate::{
    container::{Container, ContainerError, ValueError, peek_descriptions, tag},
    error::{Error, Result},
    files::Member,
    open::{OpenOptions, SourceContent, SourceDocument},
    opener::{Opener, OutsideLink},
    sniff::{self, ome_root},
    source::ByteSource,
    types::Warning,
    watched::{Failures, WatchedOpener},
};

/// The files that are open so far.
pub(crate) struct Discovery {
    opener: Arc<dyn Opener>,
    /// Those of the opener and of all files that it opened.
    pub(crate) failures: Arc<Failures>,
    pub(crate) options: OpenOptions,
    /// Where names in the describing document start: empty, or `../` when the document lies one folder up.
    pub(crate) base: &'static str,
    pub(crate) members: Vec<Member>,
    pub(crate) sources: Vec<SourceDocument>,
    pub(crate) warnings: Vec<Warning>,
    by_name: HashMap<String, u32>,
    /// Names of the files beside the entry, by the UUID that each gives itself.
    siblings: Option<HashMap<String, String>>,
    listed: Option<Vec<String>>,
    /// Documents by the hash of their bytes, to find equal ones.
    source_index: HashMap<u64, Vec<usize>>,
}

impl Discovery {
    pub(crate) fn new(opener: Arc<dyn Opener>, options: OpenOptions) -> Self {
        let failures = Arc::<Failures>::default();
        let opener = Arc::new(WatchedOpener { opener, failures: Arc::clone(&failures) });
        Self {
            opener,
            failures,
            options,
            base: "",
            members: Vec::new(),
            sources: Vec::new(),
            warnings: Vec::new(),
            by_name: HashMap::new(),
            siblings: None,
            listed: None,
            source_index: HashMap::new(),
        }
    }

    pub(crate) fn warn(&mut self, file: Option<u32>, message: String) {
        let file = file.map(|file| self.members[file as usize].name.clone());
        self.warnings.push(Warning { file, ifd: None, message });
    }

    /// Opens a file by name; `None` when there is none of that name.
    pub(crate) fn open(&mut self, name: &str) -> Result<Option<u32>> {
        if let Some(index) = self.by_name.get(name) {
            return Ok(Some(*index));
        }
        // By way of the folder above a file of this folder has another name.
        if name.starts_with("../")
            && let Some(index) = self.members.iter().position(|known| {
                last_part(&known.name) == last_part(name) && self.opener.is_same(name, &known.name)
            })
        {
            self.by_name.insert(name.to_owned(), index as u32);
            return Ok(Some(index as u32));
        }
        let source = match self.opener.open(name) {
            Ok(source) => source,
            Err(e) if is_absent(e.kind()) => return Ok(None),
            Err(source) => return Err(open_error(name, source)),
        };
        let mut head = vec![0; source.len().min(16) as usize];
        source.read_at(0, &mut head).map_err(|source| Error::Io { file: name.to_owned(), source })?;
        let index = self.members.len() as u32;
        let (container, document, role) = if Container::recognises(&head) {
            let container = Container::open(Arc::clone(&source)).map_err(|e| container_error(name, e))?;
            let description = descriptions(&container, self.options.max_document)
                .map_err(|e| container_error(name, e))?
                .into_iter()
                .find(|bytes| ome_root(bytes).is_some());
            (Some(container), description, "ImageDescription")
        } else {
            let bytes = read_document(name, &*source, self.options.max_document, self.members.is_empty())?;
            (None, Some(bytes), "companion")
        };
        let uuid = document.as_deref().and_then(ome_root).and_then(|root| root.uuid);
        if let Some(bytes) = document {
            self.add_source(name, role, bytes);
        }
        let path = self.opener.describe(name);
        self.members.push(Member { name: name.to_owned(), path, uuid, source, container });
        self.by_name.insert(name.to_owned(), index);
        Ok(Some(index))
    }

    /// The OME-XML of a file.
    pub(crate) fn document_of(&self, file: u32) -> Option<Arc<[u8]>> {
        let name = &self.members[file as usize].name;
        let number = self.sources.iter().position(|source| source.files.contains(name))?;
        source_bytes(&self.sources, number)
    }

    /// Finds the file that a document names by UUID, name or both. The UUID decides: names change when files are
    /// moved.
    pub(crate) fn find(&mut self, name: Option<&str>, uuid: Option<&str>) -> Result<Option<u32>> {
        let mut same_name = None;
        if let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) {
            for candidate in self.candidates(name) {
                let Some(file) = self.open(&candidate)? else { continue };
                if self.may_be(file, uuid) {
                    return Ok(Some(file));
                }
                same_name.get_or_insert(file);
            }
            if same_name.is_none()
                && let Some(other) = self.spelled_otherwise(name)
                && let Some(file) = self.open(&other)?
                && self.may_be(file, uuid)
            {
                self.warn(Some(file), format!("the metadata spell its name {name:?}"));
                return Ok(Some(file));
            }
        }
        if let Some(uuid) = uuid {
            if let Some(file) = self.member_with(uuid) {
                return Ok(Some(file));
            }
            if let Some(sibling) = self.sibling_with(uuid) {
                let found = self.open(&sibling)?;
                if let Some(file) = found {
                    let name = name.unwrap_or("a file without name");
                    self.warn(Some(file), format!("has the UUID {uuid}, which the metadata give {name}"));
                }
                return Ok(found);
            }
        }
        if let (Some(file), Some(uuid)) = (same_name, uuid) {
            let found = self.members[file as usize].uuid.clone().unwrap_or_default();
            self.warn(
                Some(file),
                format!("has the UUID {found}, the metadata give it {uuid}; no other file has that, so the name decides"),
            );
        }
        Ok(same_name)
    }

    /// The file in the folder above with this name and UUID; without the UUID it could be anyone's.
    pub(crate) fn find_above(&mut self, name: &str, uuid: &str) -> Result<Option<u32>> {
        let name = format!("../{}", last_part(name));
        let Ok(source) = self.opener.open(&name) else { return Ok(None) };
        match peek_uuid(&*source) {
            Some(found) if same_uuid(&found, uuid) => self.open(&name),
            _ => Ok(None),
        }
    }

    /// The open file with this UUID.
    pub(crate) fn member_with(&self, uuid: &str) -> Option<u32> {
        self.members
            .iter()
            .position(|member| member.uuid.as_deref().is_some_and(|u| same_uuid(u, uuid)))
            .map(|index| index as u32)
    }

    fn may_be(&self, file: u32, uuid: Option<&str>) -> bool {
        match (uuid, self.members[file as usize].uuid.as_deref()) {
            (Some(wanted), Some(found)) => same_uuid(wanted, found),
            _ => true,
        }
    }

    /// Names to try, in order: as written, and its last part alone. A name that leads out of the folder is never
    /// followed there.
    fn candidates(&mut self, name: &str) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(inside) = path_inside(name) {
            names.push(format!("{}{inside}", self.base));
        } else {
            let message = format!("the metadata name {name:?}, which is not followed out of the folder");
            if !self.warnings.iter().any(|warning| warning.message == message) {
                self.warn(None, message);
            }
        }
        let last = last_part(name);
        if !matches!(last, "" | "." | "..") && !names.iter().any(|n| n == last) {
            names.push(last.to_owned());
        }
        names
    }

    /// A file beside the entry whose name differs only in case, as after a copy by way of a system that ignores it; in
    /// how its accents are composed, as on macOS; or by the escapes of a URL.
    fn spelled_otherwise(&mut self, name: &str) -> Option<String> {
        let wanted = fold(last_part(name));
        let unescaped = fold(&percent_encoding::percent_decode_str(last_part(name)).decode_utf8_lossy());
        let names = self.listed();
        let found = names.iter().find(|listed| fold(listed) == wanted);
        found.or_else(|| names.iter().find(|listed| fold(listed) == unescaped)).cloned()
    }

    fn listed(&mut self) -> &[String] {
        self.listed.get_or_insert_with(|| self.opener.list().unwrap_or_default())
    }

    fn sibling_with(&mut self, uuid: &str) -> Option<String> {
        if self.siblings.is_none() {
            let mut siblings = HashMap::new();
            let names = self.listed().to_vec();
            for name in names.into_iter().filter(|name| may_be_member(name)).take(MAX_SIBLINGS) {
                let Ok(source) = self.opener.open(&name) else { continue };
                if let Some(uuid) = peek_uuid(&*source) {
                    siblings.entry(uuid.to_ascii_lowercase()).or_insert(name);
                }
            }
            self.siblings = Some(siblings);
        }
        self.siblings.as_ref()?.get(&uuid.trim().to_ascii_lowercase()).cloned()
    }

    /// The document as edits of one that is there already, if it is nearly the same.
    fn content_of(&self, bytes: Vec<u8>) -> SourceContent {
        let whole = self.sources.iter().enumerate().filter_map(|(number, source)| match &source.content {
            SourceContent::Whole(whole) => Some((number, whole)),
            SourceContent::Like { .. } => None,
        });
        let like = whole.take(MOST_COMPARED).find_map(|(document, whole)| {
            let edits = alike::edits(whole, &bytes)?;
            Some(if edits.is_empty() {
                SourceContent::Whole(Arc::clone(whole))
            } else {
                SourceContent::Like { document, edits, bytes: bytes.len() }
            })
        });
        like.unwrap_or_else(|| SourceContent::Whole(bytes.into()))
    }

    fn add_source(&mut self, name: &str, role: &'static str, mut bytes: Vec<u8>) {
        let mut len = bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
        if sniff::is_utf16(&bytes) && len < bytes.len() {
            // The last character may end in a zero of its own.
            len = len.next_multiple_of(2);
        }
        let trailing_nuls = bytes.len() - len;
        bytes.truncate(len);
        let content = self.content_of(bytes);
        let mut hasher = DefaultHasher::new();
        match &content {
            SourceContent::Whole(bytes) => bytes.hash(&mut hasher),
            SourceContent::Like { document, edits, .. } => {
                document.hash(&mut hasher);
                for edit in edits {
                    (edit.at, &edit.inserted).hash(&mut hasher);
                }
            }
        }
        let same_hash = self.source_index.entry(hasher.finish()).or_default();
        let equal = same_hash.iter().copied().find(|i| self.sources[*i].content == content);
        if let Some(i) = equal {
            self.sources[i].files.push(name.to_owned());
            return;
        }
        same_hash.push(self.sources.len());
        self.sources.push(SourceDocument {
            name: name.to_owned(),
            role,
            content,
            files: vec![name.to_owned()],
            trailing_nuls,
        });
    }
}

/// The bytes of a document of a set, by its number.
pub(crate) fn source_bytes(sources: &[SourceDocument], number: usize) -> Option<Arc<[u8]>> {
    match &sources.get(number)?.content {
        SourceContent::Whole(bytes) => Some(Arc::clone(bytes)),
        SourceContent::Like { document, edits, .. } => match &sources.get(*document)?.content {
            SourceContent::Whole(whole) => alike::restored(whole, edits).ok().map(Into::into),
            SourceContent::Like { .. } => None,
        },
    }
}

/// With how many whole documents of a set another one is compared.
const MOST_COMPARED: usize = 3;

/// A name as it is compared where the letter does not count: composed, in lower case.
fn fold(name: &str) -> String {
    name.nfc().collect::<String>().to_lowercase()
}

fn open_error(name: &str, e: io::Error) -> Error {
    match e.get_ref().and_then(|inner| inner.downcast_ref::<OutsideLink>()) {
        Some(link) => Error::Link { file: name.to_owned(), target: link.target.clone() },
        None => Error::Io { file: name.to_owned(), source: e },
    }
}

/// Whether the storage says that there is, or can be, no such file.
fn is_absent(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename)
}

/// Files beside the entry that are looked into for a UUID.
const MAX_SIBLINGS: usize = 20_000;

pub(crate) fn same_uuid(a: &str, b: &str) -> bool {
    a.trim().eq_ignore_ascii_case(b.trim())
}

pub(crate) fn container_error(file: &str, e: ContainerError) -> Error {
    let file = file.to_owned();
    match e {
        ContainerError::Io(source) | ContainerError::Value(ValueError::Io(source)) => {
            Error::Io { file, source }
        }
        other => Error::Damaged { file, what: other.to_string() },
    }
}

/// Every ImageDescription of the first page, as bytes: some writers put their own beside the one of OME.
pub(crate) fn descriptions(container: &Container, limit: u64) -> Result<Vec<Vec<u8>>, ContainerError> {
    match container.page(0) {
        Some(first) => container.values(first, tag::IMAGE_DESCRIPTION, limit),
        None => Ok(Vec::new()),
    }
}

/// The UUID that a file gives itself, if it is one of a set; for files that may not belong here.
fn peek_uuid(source: &dyn ByteSource) -> Option<String> {
    let heads = peek_descriptions(source, sniff::HEAD as u64)?;
    heads.iter().find_map(|head| ome_root(head))?.uuid
}

/// The whole of a file that is not a TIFF, if it looks like OME-XML.
fn read_document(name: &str, source: &dyn ByteSource, limit: u64, is_entry: bool) -> Result<Vec<u8>> {
    let failed = |source| Error::Io { file: name.to_owned(), source };
    let mut head = vec![0; source.len().min(sniff::HEAD as u64) as usize];
    source.read_at(0, &mut head).map_err(failed)?;
    if ome_root(&head).is_none() {
        // Of a file that only a document names nothing is shown: it may be anybody's.
        let start: String = String::from_utf8_lossy(&head[..head.len().min(16)]).escape_debug().collect();
        let len = source.len();
        let found = if is_entry {
            format!("{len} bytes that begin with \"{start}\"")
        } else {
            format!("{len} bytes")
        };
        return Err(Error::NotTiff { file: name.to_owned(), found });
    }
    if source.len() > limit {
        let what = format!("it has {} bytes, more than the limit of {limit}", source.len());
        return Err(Error::Document { file: name.to_owned(), what });
    }
    let mut bytes = vec![0; source.len() as usize];
    source.read_at(0, &mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The path with `/` between its parts, if it stays in the folder.
fn path_inside(name: &str) -> Option<String> {
    let name = name.replace('\\', "/");
    let drive = name.as_bytes().get(1) == Some(&b':');
    if name.starts_with('/') || drive || name.contains("://") || name.contains('\0') {
        return None;
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!parts.is_empty() && !parts.contains(&"..")).then(|| parts.join("/"))
}

fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

fn may_be_member(name: &str) -> bool {
    let lower = name.to_lowercase();
    [".tif", ".tiff", ".btf", ".tf2", ".tf8", ".ome", ".xml"].iter().any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(path_inside("a.tif").as_deref(), Some("a.tif"));
        assert_eq!(path_inside("./sub\\a.tif").as_deref(), Some("sub/a.tif"));
        for outside in [
            "../a.tif",
            "/a.tif",
            "\\\\host\\a.tif",
            "C:\\a.tif",
            "sub/../../a",
            "file:///a",
            "",
            ".",
            "a\0b",
        ] {
            assert_eq!(path_inside(outside), None, "{outside:?}");
        }
        assert_eq!(last_part("C:\\data\\a.tif"), "a.tif");
    }
}
