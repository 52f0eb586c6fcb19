//! `fairzarr extract`.

use fairzarr_nbo::Record;
use fairzarr_nbo::ingest::micro_meta;
use fairzarr_nbo::placement;
use fairzarr_nbo::xml::{self, Style};
use fairzarr_ome_xml::{Document, Structured};
use fairzarr_ome_zarr::keys;
use fairzarr_store::Store;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::args::{Extract, Form, SchemaArg};
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;

pub(crate) fn run(args: &Extract) -> Result<Code, Failure> {
    let store = source::source_store(&args.path, &args.store)?;
    if args.schema.is_some() && args.form != Form::Json {
        return Err(Failure::usage("--schema goes with --as json"));
    }
    if args.form == Form::Original {
        return originals(args, &store);
    }
    if matches!(args.form, Form::NboXml | Form::NboJson | Form::MicroMeta) {
        return nbo(args, &store);
    }
    if args.form == Form::Summary {
        return summaries(args, &store);
    }
    if args.index.is_some() {
        return Err(Failure::usage("--index goes with --as original: there is one OME model in a store"));
    }
    if args.schema == Some(SchemaArg::V2016_06) {
        return uniform(args, &store);
    }
    let missing =
        || Failure::new(Code::Input, anyhow::anyhow!("{} holds no structured OME model", args.path));
    let structured = fairzarr_ome_zarr::model::read(&store)?.ok_or_else(missing)?;
    let text = match args.form {
        Form::Json => format!("{:#}\n", structured.to_json()),
        _ => structured.to_xml().map_err(|error| Failure::new(Code::Input, error))?,
    };
    write(args.output.as_deref(), text.as_bytes())?;
    Ok(Code::Done)
}

/// The OME model in the schema that METADATA.ome.xml has, which every store with OME-XML has in one version.
fn uniform(args: &Extract, store: &Store) -> Result<Code, Failure> {
    let input = |error| Failure::new(Code::Input, error);
    let missing = || Failure::new(Code::Input, anyhow::anyhow!("{} holds no {}", args.path, keys::METADATA));
    let metadata = store.get(keys::METADATA).map_err(|error| Failure::new(Code::Input, error))?;
    let document = Document::parse(metadata.ok_or_else(missing)?.to_vec()).map_err(input)?;
    // What others have written may be of another version.
    let document = Document::parse(document.to_2016_06().into_owned().into_bytes()).map_err(input)?;
    let structured = Structured::from_document(&document);
    write(args.output.as_deref(), format!("{:#}\n", structured.to_json()).as_bytes())?;
    Ok(Code::Done)
}

/// The summaries of all images, or of one; null where an image has none.
fn summaries(args: &Extract, store: &Store) -> Result<Code, Failure> {
    let images = fairzarr_ome_zarr::image_groups(store)?;
    let none = || Failure::new(Code::Input, anyhow::anyhow!("the images of {} have no summaries", args.path));
    let mut summaries: Vec<_> =
        images.into_iter().map(|(_, mut group)| group.remove(keys::SUMMARY).unwrap_or_default()).collect();
    if summaries.iter().all(serde_json::Value::is_null) {
        return Err(none());
    }
    let chosen = match args.index {
        Some(index) if index < summaries.len() => summaries.swap_remove(index),
        Some(index) => {
            return Err(Failure::usage(format!("--index {index}: there are {} images", summaries.len())));
        }
        None => summaries.into(),
    };
    write(args.output.as_deref(), format!("{chosen:#}\n").as_bytes())?;
    Ok(Code::Done)
}

/// The NBO record in one of its forms.
fn nbo(args: &Extract, store: &Store) -> Result<Code, Failure> {
    let input = |error| Failure::new(Code::Input, error);
    let record = super::provenance::of_store(store)?;
    let text = match (args.form, args.index) {
        (Form::MicroMeta, None | Some(0)) => format!("{:#}\n", micro_meta::write(&record).map_err(input)?),
        (Form::MicroMeta, Some(index)) => {
            let instrument =
                record.objects.iter().filter(|object| object.class == "Instrument").nth(index - 1);
            let none = || Failure::usage(format!("--index {index}: there are not so many microscopes"));
            format!("{:#}\n", micro_meta::write_microscope(instrument.ok_or_else(none)?))
        }
        (_, Some(_)) => return Err(Failure::usage("--index goes with --as original and micro-meta")),
        (Form::NboXml, None) => match style(&record) {
            Style::Verbatim => xml::write(&record, Style::Verbatim),
            Style::Valid => xml::write(&placement::about_the_store(&record), Style::Valid),
        },
        _ => format!("{:#}\n", record.to_json()),
    };
    write(args.output.as_deref(), text.as_bytes())?;
    Ok(Code::Done)
}

/// What came as NBO XML alone goes out as it came.
fn style(record: &Record) -> Style {
    let verbatim = !record.sources.is_empty() && record.sources.iter().all(|source| source.form == "nbo-xml");
    if verbatim { Style::Verbatim } else { Style::Valid }
}

/// One document to a file or standard output, several into a directory under the names that they have in the store.
fn originals(args: &Extract, store: &Store) -> Result<Code, Failure> {
    let documents = fairzarr_ome_zarr::sources(store)?;
    let chosen = match (args.index, documents.as_slice()) {
        (_, []) => {
            let none = anyhow::anyhow!("{} holds no original documents", args.path);
            return Err(Failure::new(Code::Input, none));
        }
        (Some(index), documents) => Some(documents.get(index).ok_or_else(|| {
            Failure::usage(format!("--index {index}: there are {} documents", documents.len()))
        })?),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    if let Some(document) = chosen {
        write(args.output.as_deref(), &document.read(store)?)?;
        return Ok(Code::Done);
    }
    let Some(directory) = &args.output else {
        return Err(Failure::usage(format!(
            "there are {} documents; choose one with --index, or give a directory with --output",
            documents.len()
        )));
    };
    fs::create_dir_all(directory).map_err(|error| cannot_write(directory, error))?;
    for document in documents {
        // Names from a store are not trusted to stay in the directory.
        let name = document.key.rsplit('/').next().filter(|name| !matches!(*name, "" | "." | ".."));
        let name = name.map_or_else(|| "document".into(), |name| name.replace('\\', "_"));
        write(Some(&directory.join(name)), &document.read(store)?)?;
    }
    Ok(Code::Done)
}

/// Writes a new file, or to standard output. A closed pipe is not an error.
fn write(output: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    match output {
        Some(path) => {
            let created = fs::File::create_new(path).and_then(|mut file| file.write_all(bytes));
            created.map_err(|error| cannot_write(path, error))
        }
        None => print::document(bytes),
    }
}

fn cannot_write(path: &Path, error: io::Error) -> Failure {
    Failure::new(Code::Output, anyhow::Error::new(error).context(format!("cannot write {}", path.display())))
}
