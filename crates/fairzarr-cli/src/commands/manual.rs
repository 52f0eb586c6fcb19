//! `fairzarr completions` and `fairzarr man`: what the command line says of itself, for shells and as manual pages.

use clap_mangen::Man as Page;
use serde_json::json;
use std::fs;
use std::path::Path;

use crate::args::{Completions, Man, command};
use crate::exit::{Code, Failure};
use crate::{print, telling};

pub(crate) fn completions(args: &Completions) -> Result<Code, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "fairzarr", &mut script);
    tell(&args.shell.to_string(), &script)
}

pub(crate) fn pages(args: &Man) -> Result<Code, Failure> {
    let Some(folder) = &args.output else {
        return tell("man", &page(command()).map_err(|error| cannot_write(Path::new("the page"), error))?);
    };
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, error))?;
    let mut whole = command();
    // Options that are the same for all commands belong to each page.
    whole.build();
    write(folder, "fairzarr", whole)?;
    if telling::is_json() {
        let members = json!({"form": "man", "text": null, "output": folder.display().to_string()});
        return print::outcome("document", Code::Done, &folder.display().to_string(), members);
    }
    Ok(Code::Done)
}

/// Writes the pages of a command and of those below it.
fn write(folder: &Path, name: &str, command: clap::Command) -> Result<(), Failure> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help")
    {
        write(folder, &format!("{name}-{}", below.get_name()), below.clone())?;
    }
    let path = folder.join(format!("{name}.1"));
    let bytes = page(command.display_name(name.to_owned())).map_err(|error| cannot_write(&path, error))?;
    fs::write(&path, bytes).map_err(|error| cannot_write(&path, error))
}

fn page(command: clap::Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Page::new(command).render(&mut page)?;
    Ok(page)
}

fn tell(form: &str, bytes: &[u8]) -> Result<Code, Failure> {
    if telling::is_json() {
        let members = json!({"form": form, "text": String::from_utf8_lossy(bytes), "output": null});
        return print::outcome("document", Code::Done, "fairzarr", members);
    }
    print::document(bytes)?;
    Ok(Code::Done)
}

fn cannot_write(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(Code::Output, anyhow::Error::new(error).context(format!("cannot write {}", path.display())))
}
