//! One OME-XML document: its bytes, and what they say.

use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::decode::{self, Text};
use crate::error::{Error, Warning, Warnings};
use crate::metadata::ByteOrder;
use crate::model::Ome;
use crate::parser;
use crate::read;
use crate::schema::SchemaVersion;
use crate::tree::{Element, Node};
use crate::upgrade::{Change, Upgrade};

/// An OME-XML document, read once; the bytes are kept exactly.
#[derive(Clone, Debug)]
pub struct Document {
    bytes: Arc<[u8]>,
    text: Text,
    ome: Ome,
    schema: SchemaVersion,
    warnings: Vec<Warning>,
    changes: Vec<Change>,
}

impl Document {
    /// Reads a document. Wrong encodings, byte order marks, NULs at the end and text before the first `<` are read
    /// as well as can be, with a [`Warning`] each; values that the schema does not know as well.
    ///
    /// # Errors
    ///
    /// [`Error::NotXml`], [`Error::NotOme`], [`Error::NotWellFormed`] and [`Error::Encoding`] where there is no OME
    /// document to be read; [`Error::Doctype`] and [`Error::Limit`] where reading on would be unsafe.
    pub fn parse(bytes: impl Into<Arc<[u8]>>) -> Result<Self, Error> {
        let bytes = bytes.into();
        let mut warnings = Warnings::default();
        let text = decode::decode(&bytes, &mut warnings)?;
        let (ome, schema, changes) = {
            let tree = parser::parse(text_of(&bytes, &text), &mut warnings)?;
            let schema = SchemaVersion::of_namespace(&tree.namespace);
            check_spare_pixels(&tree.root)?;
            let mut upgrade = Upgrade::new(&tree);
            let root = upgrade.root(tree.root);
            let ome = read::read(root, &mut upgrade, &mut warnings)?;
            (ome, schema, upgrade.changes())
        };
        Ok(Self { bytes, text, ome, schema, warnings: warnings.finish(), changes })
    }

    /// Exactly the bytes that were given.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The document as text: from its first `<` to its end or first NUL, decoded.
    pub fn text(&self) -> &str {
        text_of(&self.bytes, &self.text)
    }

    /// SHA-256 of the bytes, in lower-case hexadecimal digits.
    pub fn sha256(&self) -> String {
        Sha256::digest(&self.bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// The typed view, in terms of schema 2016-06 whatever the document's own version.
    pub fn ome(&self) -> &Ome {
        &self.ome
    }

    /// The schema version that the document itself is written in.
    pub fn schema(&self) -> SchemaVersion {
        self.schema
    }

    /// What was wrong or unusual, in the order found.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The document for a store's `OME/METADATA.ome.xml`: schema 2016-06, the given Images in the given order,
    /// `MetadataOnly` in place of `TiffData` and `BinData`, and `BigEndian` as the samples are stored there, which
    /// raw2ometiff cannot do without. A 2016-06 document is otherwise left as it is, character by character; an older
    /// one is upgraded, see [`Self::changes`].
    ///
    /// # Errors
    ///
    /// [`Error::Image`] for an index that the document does not have or that is given twice, [`Error::BinaryOnly`] for
    /// a document that only points to another.
    pub fn metadata_only(&self, images: &[(usize, ByteOrder)]) -> Result<String, Error> {
        crate::metadata::metadata_only(self.text(), images)
    }

    /// The document for a TIFF that holds all planes of all its Images, one Image after the other, each in its
    /// DimensionOrder: what [`Self::metadata_only`] took out is put in again for that file, `TiffData` in place of
    /// `MetadataOnly`, and `BigEndian` as the file is. Schema 2016-06, otherwise character by character as it is; but its
    /// UUID, which names a file, is one that is made from the content.
    ///
    /// # Errors
    ///
    /// [`Error::Image`] for an Image that does not say how many planes it has.
    pub fn in_one_tiff(&self, order: ByteOrder) -> Result<String, Error> {
        crate::tiff_data::in_one_tiff(&self.to_2016_06()?, &self.ome, order)
    }

    /// The document in schema 2016-06, whole: what [`Self::metadata_only`] gives before it takes data out. A 2016-06
    /// document is its own text.
    ///
    /// # Errors
    ///
    /// None that parsing has not found.
    pub fn to_2016_06(&self) -> Result<std::borrow::Cow<'_, str>, Error> {
        crate::metadata::upgraded(self.text())
    }

    /// What was renamed, moved or made explicit to bring an older document to 2016-06.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }
}

/// Of several `Pixels` in an Image only one is in the view. The others have to be readable as well.
fn check_spare_pixels(root: &Element<'_>) -> Result<(), Error> {
    for image in root.elements() {
        let pixels: Vec<_> = image.elements().filter(|e| e.name().eq_ignore_ascii_case("Pixels")).collect();
        if pixels.len() < 2 {
            continue;
        }
        for node in pixels.iter().flat_map(|p| &p.nodes) {
            if let Node::Run(run) = node {
                run.elements().try_for_each(|element| element.map(drop))?;
            }
        }
    }
    Ok(())
}

fn text_of<'a>(bytes: &'a [u8], text: &'a Text) -> &'a str {
    match text {
        // Decoding has found these bytes to be UTF-8.
        Text::Bytes(range) => std::str::from_utf8(&bytes[range.clone()]).unwrap_or_default(),
        Text::Owned(text) => text,
    }
}
