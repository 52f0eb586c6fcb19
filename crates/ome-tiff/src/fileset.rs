//! Opening a set: from the file that was named to images that can be read.

use std::{
    ops::Range,
    path::{Component, Path},
    sync::Arc,
};

use fairzarr_ome_xml::Document;

use crate::{
    appearance,
    attached::{self, AttachedFile},
    container::Container,
    discover::{Discovery, container_error, descriptions, source_bytes},
    error::{Error, Result},
    extra,
    files::{FileInfo, Files, Member},
    image::Image,
    imagej, ome,
    open::{OpenOptions, SourceContent, SourceDocument},
    opener::{Folder, Opener},
    original::OriginalMetadata,
    part::Selected,
    plain, plates, sniff,
    source::FileState,
    types::{Kind, Warning},
    unmapped::UnmappedPage,
    watched::Failures,
};

/// A set of files that together hold images and their description.
pub struct Fileset {
    files: Arc<Files>,
    failures: Arc<Failures>,
    infos: Vec<FileInfo>,
    pub(crate) images: Vec<Image>,
    document: Option<Document>,
    sources: Vec<SourceDocument>,
    kind: Kind,
    warnings: Vec<Warning>,
    unmapped: Vec<UnmappedPage>,
    attached: Vec<AttachedFile>,
    pub(crate) selected: Option<Selected>,
}

impl Fileset {
    /// Opens the set that a local file belongs to: any of its TIFF files, or its companion.
    ///
    /// # Errors
    /// Any but [`Error::Chunk`], [`Error::MissingPlane`] and [`Error::Request`]: whatever opens can be read, but
    /// for damage inside of compressed chunks.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_path(path.as_ref(), OpenOptions::default())
    }

    /// As [`open`](Self::open), with options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_path(path: &Path, options: OpenOptions) -> Result<Self> {
        let name = path.file_name();
        let ends_in_name = matches!(path.components().next_back(), Some(Component::Normal(_)));
        let Some(name) = name.filter(|_| ends_in_name) else {
            return Err(Error::Io {
                file: path.display().to_string(),
                source: std::io::Error::new(
                    std::io::ErrorKind::InvalidInput,
                    "the path does not end in a file name",
                ),
            });
        };
        let folder = Folder::new(path.parent().unwrap_or(Path::new(""))).follow_links(options.follow_links);
        let (folder, name) = folder.with_entry(name);
        Self::open_with(Arc::new(folder), &name, options)
    }

    /// Opens a set wherever it is stored. `entry` is the name of one of its files.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(opener: Arc<dyn Opener>, entry: &str, options: OpenOptions) -> Result<Self> {
        let mut set = Discovery::new(opener, options);
        let Some(file) = set.open(entry)? else {
            return Err(Error::Io {
                file: entry.to_owned(),
                source: std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such file"),
            });
        };
        if set.document_of(file).is_some() {
            let described = ome::describe(&mut set, file)?;
            return Self::finish(set, Kind::OmeTiff, Some(described.file), |files, warnings| {
                let images = ome::images(files, &described, warnings)?;
                Ok((images, Some(described.document)))
            });
        }
        let texts = match set.members[file as usize].container.as_ref() {
            Some(container) => {
                descriptions(container, set.options.max_document).map_err(|e| container_error(entry, e))?
            }
            None => Vec::new(),
        };
        if texts.iter().any(|text| sniff::mentions_ome(text)) {
            let what =
                "the ImageDescription mentions the schema of OME, but has no OME element; read without it";
            set.warn(Some(file), what.to_owned());
        }
        match texts.iter().find_map(|text| imagej::parse(text)) {
            Some(hyperstack) => Self::finish(set, Kind::ImageJ, None, |files, warnings| {
                Ok((vec![imagej::image(files, &hyperstack, warnings)?], None))
            }),
            None => Self::finish(set, Kind::PlainTiff, None, |files, warnings| {
                Ok((plain::images(files, warnings)?, None))
            }),
        }
    }

    /// The images, in the order of the metadata.
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// The OME-XML that describes the images of the whole set, wherever in it it was found; `None` for other TIFF.
    pub fn document(&self) -> Option<&Document> {
        self.document.as_ref()
    }

    /// What is known of one of the images: its Image element, or where none describes it what ImageJ, scanners and the tags
    /// say, in the same terms.
    pub fn described(&self, image: &Image) -> fairzarr_ome_xml::Image {
        let element = self.element(image).and_then(|(document, index)| document.ome().images.get(index));
        let mut described = element.cloned().unwrap_or_else(|| image.to_ome());
        image.add_palette(&mut described);
        described
    }

    /// Every distinct OME-XML document of the set.
    pub fn sources(&self) -> &[SourceDocument] {
        &self.sources
    }

    /// The bytes of one of [`sources`](Self::sources), by its number, as they stand in its file without the NULs that end the tag.
    pub fn source_bytes(&self, number: usize) -> Option<Arc<[u8]>> {
        source_bytes(&self.sources, number)
    }

    /// The number of the document of [`sources`](Self::sources) that describes the set.
    pub fn main_source(&self) -> Option<usize> {
        let described = self.document()?.bytes();
        // It was read before those that are nearly the same, unless it is one of them.
        let is_whole = |source: &SourceDocument| matches!(&source.content, SourceContent::Whole(bytes) if **bytes == *described);
        let whole = self.sources.iter().position(is_whole);
        whole.or_else(|| {
            (0..self.sources.len())
                .find(|number| self.source_bytes(*number).is_some_and(|bytes| *bytes == *described))
        })
    }

    /// The files that belong to the set, the one that was named first.
    pub fn files(&self) -> &[FileInfo] {
        &self.infos
    }

    /// Reads bytes of one of [`files`](Self::files) as they stand there, from `offset` on.
    ///
    /// # Errors
    /// [`Error::Io`] when there are not as many, or they cannot be read.
    pub fn read_file(&self, file: usize, offset: u64, out: &mut [u8]) -> Result<()> {
        let member = self.member(file)?;
        member.source.read_at(offset, out).map_err(|source| Error::Io { file: member.name.clone(), source })
    }

    /// Reads several ranges of one of [`files`](Self::files), one after another into `out`, which is as long as all of them.
    ///
    /// # Errors
    /// As [`read_file`](Self::read_file).
    pub fn read_file_ranges(&self, file: usize, ranges: &[Range<u64>], out: &mut [u8]) -> Result<()> {
        let member = self.member(file)?;
        let read = member.source.read_ranges(ranges, out);
        read.map_err(|source| Error::Io { file: member.name.clone(), source })
    }

    /// Whether everything that was asked of the storage so far was answered. What was read of optional parts, such as
    /// [`original_metadata`](Self::original_metadata), is complete only then.
    ///
    /// # Errors
    /// [`Error::Io`]: the first failure, even if reading went on without what it concerned.
    pub fn check_storage(&self) -> Result<()> {
        self.failures.check()
    }

    /// What the storage tells of one of [`files`](Self::files) now; [`FileInfo::state`] is what it told at first.
    ///
    /// # Errors
    /// [`Error::Io`] when the storage cannot tell, or the file is gone.
    pub fn state_now(&self, file: usize) -> Result<FileState> {
        let member = self.member(file)?;
        member.source.state_now().map_err(|source| Error::Io { file: member.name.clone(), source })
    }

    fn member(&self, file: usize) -> Result<&Member> {
        self.files.members.get(file).ok_or_else(|| Error::Io {
            file: format!("file {file} of the set"),
            source: std::io::Error::from(std::io::ErrorKind::NotFound),
        })
    }

    /// What was to be done about missing planes when the set was opened.
    pub fn on_missing(&self) -> crate::OnMissing {
        self.files.options.on_missing
    }

    /// What was to be done about pages that no plane uses when the set was opened.
    pub fn on_extra_pages(&self) -> crate::OnExtraPages {
        self.files.options.on_extra_pages
    }

    /// What of the metadata was not read, in words; it is in the documents alone.
    pub fn metadata_not_read(&self) -> impl Iterator<Item = String> + '_ {
        let documents = self.document.iter();
        documents.flat_map(|document| document.passed_over().iter().map(ToString::to_string))
    }

    /// What samples of 16-bit floating point are read as.
    pub fn half(&self) -> crate::HalfFloats {
        self.files.options.half
    }

    /// What kind of TIFF this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Everything that was tolerated.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Pages of the files that no plane and no level of the images uses: nothing of them is read.
    pub fn unmapped(&self) -> &[UnmappedPage] {
        &self.unmapped
    }

    /// Files that the metadata attach to the images, and that are no part of the set: nothing of them is read.
    pub fn attached(&self) -> &[AttachedFile] {
        &self.attached
    }

    /// What the TIFF tags say beside the pixels: all of the first page of each image, and of the others what
    /// differs from it. Read from the files as the iterator advances.
    pub fn original_metadata(&self) -> OriginalMetadata<'_> {
        OriginalMetadata::new(&self.files, &self.images)
    }

    fn finish(
        set: Discovery,
        kind: Kind,
        described_in: Option<u32>,
        images: impl FnOnce(&Arc<Files>, &mut Vec<Warning>) -> Result<(Vec<Image>, Option<Document>)>,
    ) -> Result<Self> {
        let Discovery { members, sources, mut warnings, options, failures, .. } = set;
        let files = Arc::new(Files::new(members, options));
        let (mut images, document) = images(&files, &mut warnings)?;
        let unmapped = extra::settle(&files, &mut images, described_in, &mut warnings)?;
        appearance::warn(&images, &mut warnings);
        if let Some(document) = &document {
            plates::check(document, &images, &mut warnings);
        }
        let attached = document.as_ref().map(attached::find).unwrap_or_default();
        for file in &attached {
            let message = format!("the metadata attach {file}, which is left where it is");
            warnings.push(Warning { file: None, ifd: None, message });
        }
        for member in &files.members {
            if let Some(what) = member.container.as_ref().and_then(Container::broken_chain) {
                let message = format!("the chain of IFDs breaks off after all planes: {what}");
                warnings.push(Warning { file: Some(member.name.clone()), ifd: None, message });
            }
        }
        let infos = files
            .members
            .iter()
            .map(|member| FileInfo {
                name: member.name.clone(),
                path: member.path.clone(),
                len: member.source.len(),
                state: member.source.state(),
                uuid: member.uuid.clone(),
            })
            .collect();
        // What was passed over as damaged must not be what could not be read.
        failures.check()?;
        Ok(Self {
            files,
            failures,
            infos,
            images,
            document,
            sources,
            kind,
            warnings,
            unmapped,
            attached,
            selected: None,
        })
    }
}
