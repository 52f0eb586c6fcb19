//! `fairzarr extract`.

use clap::ValueEnum as _;
use fairzarr_nbo::Record;
use fairzarr_nbo::ingest::micro_meta;
use fairzarr_nbo::placement;
use fairzarr_nbo::xml::{self, Style};
use fairzarr_ome_xml::{Document, Structured};
use fairzarr_ome_zarr::keys;
use fairzarr_store::Store;
use serde_json::json;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::args::{Extract, Form, SchemaArg};
use crate::exit::{Code, Failure};
use crate::print;
use crate::source;
use crate::telling;

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
    tell(args, args.output.as_deref(), text.as_bytes())
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
    tell(args, args.output.as_deref(), format!("{:#}\n", structured.to_json()).as_bytes())
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
    tell(args, args.output.as_deref(), format!("{chosen:#}\n").as_bytes())
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
    tell(args, args.output.as_deref(), text.as_bytes())
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
        return tell(args, args.output.as_deref(), &document.read(store)?);
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
        let name = Some(document.file_name()).filter(|name| !matches!(name.as_str(), "" | "." | ".."));
        let name = name.map_or_else(|| "document".into(), |name| name.replace('\\', "_"));
        write(&directory.join(name), &document.read(store)?)?;
    }
    if telling::is_json() {
        let members = json!({"form": form(args), "text": null, "output": directory.display().to_string()});
        return print::outcome("document", Code::Done, &args.path, members);
    }
    Ok(Code::Done)
}

/// Writes a document to a new file, or to standard output; programs that asked for JSON get it as text. Documents of other
/// encodings than UTF-8 are then told with replacement characters: `--output` writes the bytes.
fn tell(args: &Extract, output: Option<&Path>, bytes: &[u8]) -> Result<Code, Failure> {
    if let Some(path) = output {
        write(path, bytes)?;
    }
    if telling::is_json() {
        let text = output.is_none().then(|| String::from_utf8_lossy(bytes));
        let output = output.map(|path| path.display().to_string());
        let members = json!({"form": form(args), "text": text, "output": output});
        return print::outcome("document", Code::Done, &args.path, members);
    }
    if output.is_none() {
        print::document(bytes)?;
    }
    Ok(Code::Done)
}

/// What was asked for, as it is typed.
fn form(args: &Extract) -> Option<String> {
    args.form.to_possible_value().map(|value| value.get_name().to_owned())
}

/// Writes a new file.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let created = fs::File::create_new(path).and_then(|mut file| file.write_all(bytes));
    created.map_err(|error| cannot_write(path, error))
}

fn cannot_write(path: &Path, error: io::Error) -> Failure {
    let code = if error.kind() == io::ErrorKind::AlreadyExists { Code::Exists } else { Code::Output };
    Failure::new(code, anyhow::Error::new(error).context(format!("cannot write {}", path.display())))
}
