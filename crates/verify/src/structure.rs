//! The structured OME model of a store: read back, made into OME-XML again, and compared with the source.

use fairzarr_ome_tiff::Fileset;
use fairzarr_ome_xml::{self as ome_xml, Document, Normalisations};
use fairzarr_ome_zarr::keys::{MODEL, OME};
use fairzarr_ome_zarr::{Error as ZarrError, model, sources};
use fairzarr_store::Store;

use crate::error::Error;
use crate::report::{Check, Difference, Proof};

/// Differences that are listed; all are counted.
const LISTED: usize = 50;

/// Makes OME-XML from the store's attributes, arrays and files alone, and compares it with the source's document.
pub(crate) fn compare_with(source: &Fileset, store: &Store) -> Result<Check, Error> {
    match source.document() {
        Some(document) => check(std::iter::once(document.clone()), store),
        None => Ok(nothing("the source has no OME-XML", Vec::new())),
    }
}

/// As [`compare_with`], with the source document that the store keeps. Where it keeps several, the model is that of
/// one of them.
pub(crate) fn compare_within(store: &Store) -> Result<Check, Error> {
    let stored = sources(store)?;
    // Damaged documents are the business of the proof of documents.
    let mut documents =
        stored.iter().filter_map(|stored| stored.read(store).map(Document::parse).ok()?.ok()).peekable();
    if documents.peek().is_none() {
        return Ok(nothing("the store keeps no OME-XML", Vec::new()));
    }
    check(documents, store)
}

/// Differences from the document that has the fewest.
fn check(documents: impl Iterator<Item = Document>, store: &Store) -> Result<Check, Error> {
    let one = |expected: &str, found: String| {
        let place = format!("attribute {MODEL} of {OME}");
        vec![Difference { place, expected: expected.into(), found }]
    };
    let regenerated = match model::read(store) {
        Ok(Some(structured)) => structured.to_xml().map_err(ZarrError::from),
        Ok(None) => return Ok(nothing("nothing", one("the structured OME model", "nothing".into()))),
        Err(error @ ZarrError::Store(_)) => return Err(error.into()),
        Err(error) => Err(error),
    };
    let regenerated = regenerated.and_then(|xml| Ok(Document::parse(xml.into_bytes())?));
    let regenerated = match regenerated {
        Ok(document) => document,
        // What is damaged in the store is a difference, not a reason to stop the other proofs.
        Err(error) => {
            return Ok(nothing("nothing", one("a model that OME-XML can be made from", error.to_string())));
        }
    };
    let mut fewest: Option<Vec<ome_xml::Difference>> = None;
    for document in documents {
        let found = document.differences(&regenerated, Normalisations::STRUCTURED)?;
        if fewest.as_ref().is_none_or(|fewest| found.len() < fewest.len()) {
            fewest = Some(found);
        }
    }
    let covered = format!("OME-XML of {} bytes made from attributes and arrays", regenerated.bytes().len());
    Ok(Check::new(Proof::Structure, covered, listed(fewest.unwrap_or_default())))
}

fn nothing(covered: &str, differences: Vec<Difference>) -> Check {
    Check::new(Proof::Structure, covered, differences)
}

/// The first differences, and how many more there are.
fn listed(found: Vec<ome_xml::Difference>) -> Vec<Difference> {
    let more = found.len().saturating_sub(LISTED);
    let side = |text: Option<String>| text.unwrap_or_else(|| "nothing".into());
    let mut differences: Vec<Difference> = found
        .into_iter()
        .take(LISTED)
        .map(|difference| Difference {
            place: difference.path,
            expected: side(difference.left),
            found: side(difference.right),
        })
        .collect();
    if more > 0 {
        differences.push(Difference {
            place: "the document".into(),
            expected: "no difference".into(),
            found: format!("at least {more} more"),
        });
    }
    differences
}
