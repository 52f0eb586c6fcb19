//! One OME-XML document: its bytes, and what they say.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::canonical::{self, Difference, Normalisations};
use crate::decode::{self, Text};
use crate::error::{Error, Warning, Warnings};
use crate::metadata::{self, ByteOrder};
use crate::model::Ome;
use crate::parser;
use crate::read;
use crate::schema::SchemaVersion;
use crate::tiff_data;
use crate::tree::{Element, Node, Tree};
use crate::upgrade::{Change, Upgrade};
use crate::write;

/// An OME-XML document, read once; the bytes are kept exactly, and the tree that was read from them beside them. A clone
/// shares both.
#[derive(Clone)]
pub struct Document {
    parsed: Arc<Parsed>,
}

self_cell::self_cell!(
    /// The bytes and the tree that borrows from them.
    struct Parsed {
        owner: Source,
        #[covariant]
        dependent: View,
    }
);

/// The bytes, and where the text in them is.
struct Source {
    bytes: Arc<[u8]>,
    text: Text,
}

impl Source {
    fn text(&self) -> &str {
        match &self.text {
            // Decoding has found these bytes to be UTF-8.
            Text::Bytes(range) => std::str::from_utf8(&self.bytes[range.clone()]).unwrap_or_default(),
            Text::Owned(text) => text,
        }
    }
}

/// What was read.
struct View<'a> {
    tree: Tree<'a>,
    /// The root in terms of 2016-06, where the document is written in another way.
    model: Option<Element<'a>>,
    upgrade: Upgrade,
    ome: Ome,
    schema: SchemaVersion,
    warnings: Vec<Warning>,
}

impl<'a> View<'a> {
    fn read(text: &'a str, mut warnings: Warnings) -> Result<Self, Error> {
        let tree = parser::parse(text, &mut warnings)?;
        let schema = SchemaVersion::of_namespace(&tree.namespace);
        check_spare_pixels(&tree.root)?;
        let mut upgrade = Upgrade::new(&tree);
        let model = upgrade.is_needed().then(|| upgrade.root(tree.root.clone()));
        let ome = read::read(model.as_ref().unwrap_or(&tree.root), &mut upgrade, &mut warnings)?;
        Ok(Self { tree, model, upgrade, ome, schema, warnings: warnings.finish() })
    }
}

impl Document {
    /// Reads a document. Wrong encodings, byte order marks, NULs at the end and text before the first `<` are read
    /// as well as can be, with a [`Warning`] each; values that the schema does not know as well.
    ///
    /// # Errors
    ///
    /// [`Error::NotXml`], [`Error::NotOme`], [`Error::NotWellFormed`] and [`Error::Encoding`] where there is no OME
    /// document to be read; [`Error::Doctype`] and [`Error::Limit`] where reading on would be unsafe and cannot be done without,
    /// see [`Self::passed_over`].
    pub fn parse(bytes: impl Into<Arc<[u8]>>) -> Result<Self, Error> {
        let bytes = bytes.into();
        let mut warnings = Warnings::default();
        let text = decode::decode(&bytes, &mut warnings)?;
        let parsed = Parsed::try_new(Source { bytes, text }, |source| View::read(source.text(), warnings))?;
        Ok(Self { parsed: Arc::new(parsed) })
    }

    /// Exactly the bytes that were given.
    pub fn bytes(&self) -> &[u8] {
        &self.parsed.borrow_owner().bytes
    }

    /// The document as text: from its first `<` to its end or first NUL, decoded.
    pub fn text(&self) -> &str {
        self.parsed.borrow_owner().text()
    }

    /// SHA-256 of the bytes, in lower-case hexadecimal digits.
    pub fn sha256(&self) -> String {
        Sha256::digest(self.bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The typed view, in terms of schema 2016-06 whatever the document's own version.
    pub fn ome(&self) -> &Ome {
        &self.view().ome
    }

    /// The root element as it is written, whatever the version. `Plane` and `TiffData` are not among its elements: they
    /// are in [`Self::ome`] and in [`crate::Structured`].
    pub fn root(&self) -> &Element<'_> {
        &self.tree().root
    }

    /// The root element in terms of schema 2016-06, whatever the document's own version.
    pub fn model(&self) -> &Element<'_> {
        self.view().model.as_ref().unwrap_or(self.root())
    }

    /// The schema version that the document itself is written in.
    pub fn schema(&self) -> SchemaVersion {
        self.view().schema
    }

    /// What was wrong or unusual, in the order found.
    pub fn warnings(&self) -> &[Warning] {
        &self.view().warnings
    }

    /// Parts that were not read, because that would be unsafe, and that no plane depends on: elements that are nested too deep, and
    /// declarations of a document type. They are in the bytes, and in nothing that is made of them. The first hundred.
    pub fn passed_over(&self) -> &[Warning] {
        &self.tree().passed_over
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
        self.metadata_of_part(images, None)
    }

    /// As [`Self::metadata_only`], of a part of the time points, ascending: they are counted from 0 in their order, and an image has
    /// those of them that it has. `SizeT` is their number; `TimeIncrement` is as much larger as the steps between them are, and gone
    /// where these are not equal; Planes, and shapes of regions, of other time points are left out. Where Images are left out, so are
    /// WellSamples and references to them, and regions that no other Image refers to.
    ///
    /// # Errors
    ///
    /// As [`Self::metadata_only`].
    pub fn metadata_of_part(
        &self,
        images: &[(usize, ByteOrder)],
        times: Option<&[u32]>,
    ) -> Result<String, Error> {
        metadata::metadata_of_part(self.text(), self.tree(), self.upgraded(), images, times)
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
        match self.to_2016_06() {
            Cow::Borrowed(text) => tiff_data::in_one_tiff(text, self.tree(), self.ome(), order),
            // Another text, whose elements stand elsewhere.
            Cow::Owned(text) => tiff_data::in_one_tiff(
                &text,
                &parser::parse(&text, &mut Warnings::default())?,
                self.ome(),
                order,
            ),
        }
    }

    /// The document in schema 2016-06, whole: what [`Self::metadata_only`] gives before it takes data out. A 2016-06
    /// document is its own text.
    pub fn to_2016_06(&self) -> Cow<'_, str> {
        match self.upgraded() {
            Some((root, mut upgrade)) => Cow::Owned(write::document(self.tree(), root, &mut upgrade)),
            None => Cow::Borrowed(self.text()),
        }
    }

    /// Lists where the document differs from another, at most a thousand places; an empty list says that they are
    /// canonically equal.
    ///
    /// # Errors
    ///
    /// None that parsing has not found; but a fault overlooked would not be taken for equality.
    pub fn differences(
        &self,
        other: &Self,
        normalisations: Normalisations,
    ) -> Result<Vec<Difference>, Error> {
        canonical::differences(self.tree(), other.tree(), normalisations)
    }

    /// What was renamed, moved or made explicit to bring an older document to 2016-06.
    pub fn changes(&self) -> &[Change] {
        self.view().upgrade.changes()
    }

    pub(crate) fn tree(&self) -> &Tree<'_> {
        &self.view().tree
    }

    fn view(&self) -> &View<'_> {
        self.parsed.borrow_dependent()
    }

    /// The root in terms of 2016-06 with the rules that made it, where it is not as it is written.
    fn upgraded(&self) -> Option<(&Element<'_>, Upgrade)> {
        let view = self.view();
        view.model.as_ref().map(|root| (root, view.upgrade.clone()))
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("schema", &self.schema())
            .field("text", &self.text())
            .finish_non_exhaustive()
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
