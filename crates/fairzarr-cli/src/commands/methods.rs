//! `fairzarr methods`: a paragraph for Materials and Methods.

use fairzarr_nbo::methods::{Markup, methods};

use super::provenance::record;
use crate::args::Methods;
use crate::exit::{Code, Failure};
use crate::print;

pub(crate) fn run(args: &Methods) -> Result<Code, Failure> {
    let markup = if args.markdown { Markup::Markdown } else { Markup::Text };
    let text = methods(&record(&args.path, &args.store)?, markup);
    print::lines(&text)?;
    Ok(Code::Done)
}
