//! `fairzarr methods`: a paragraph for Materials and Methods.

use fairzarr_nbo::methods::{Markup, methods};

use super::provenance::{Planes, record_with};
use crate::args::{Methods, MethodsAs};
use crate::exit::{Code, Failure};
use crate::print;

pub(crate) fn run(args: &Methods) -> Result<Code, Failure> {
    let said = methods(&record_with(&args.path, &args.store, Planes::Exposures)?);
    let form = if args.markdown { MethodsAs::Markdown } else { args.form };
    match form {
        MethodsAs::Plain => print::lines(&said.text(Markup::Plain))?,
        MethodsAs::Markdown => print::lines(&said.text(Markup::Markdown))?,
        MethodsAs::Json => print::json(&said.to_json())?,
    }
    Ok(Code::Done)
}
